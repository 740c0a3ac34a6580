using System.Net;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Filters.Authorization;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Tests.Filters;

public sealed class PolicyTests
{
    private static readonly ConnectionFacts Web = ConnectionFacts.WithIdentity(Routing.Ask.Connection, "spiffe://mesh.test/ns/shop/sa/web");

    [Fact]
    public void Without_policies_all_pass() => Assert.True(Check([], Web).Allowed);

    [Fact]
    public void An_allow_policy_without_rules_refuses_everything() => Assert.Equal(new PolicyDecision(false, null, -1), Check([Policy(AuthorizationAction.Allow, "a")], Web));

    [Fact]
    public void A_rule_without_conditions_matches_everything() => Assert.Equal(new PolicyDecision(true, "a", 0), Check([Policy(AuthorizationAction.Allow, "a", new AuthorizationRule())], Web));

    [Fact]
    public void What_is_refused_is_refused_whatever_allows_it()
    {
        var decision = Check([Policy(AuthorizationAction.Allow, "all", new AuthorizationRule()), Policy(AuthorizationAction.Deny, "none", To(new() { Methods = ["POST"] }), To(new() { Methods = ["GET"] }))], Web);

        Assert.Equal(new PolicyDecision(false, "none", 1), decision);
    }

    [Fact]
    public void Policies_on_trial_and_audits_only_speak()
    {
        var findings = new List<PolicyFinding>();
        AuthorizationPolicyConfig[] policies =
        [
            Policy(AuthorizationAction.Audit, "watch", new AuthorizationRule()),
            Policy(AuthorizationAction.Deny, "try-deny", new AuthorizationRule()) with { DryRun = true },
            Policy(AuthorizationAction.Allow, "try-allow", To(new() { Methods = ["PUT"] })) with { DryRun = true },
        ];

        Assert.True(new PolicySet(policies).Check(Web, Routing.Ask.Get("a.test", "/"), null, findings).Allowed);
        Assert.Equal([new("audit", "watch", 0), new("dry-run-deny", "try-deny", 0), new("dry-run-deny", "", -1)], findings);
    }

    [Theory]
    [InlineData("/a@b", "/a%40b")]
    [InlineData("/a@b", "/a%40b/../a@b")]
    [InlineData("/a+b/*", "/a%2Bb/c")]
    [InlineData("/admin", "/admin;x=1")]
    [InlineData("/admin/*", "/admin;x=1/users")]
    [InlineData("/admin/users", "/admin%3Bx/users;y")]
    [InlineData("/admin/{*}/x", "/admin/y/x;z")]
    [InlineData("*/secret", "/a/secret;jsessionid=1")]
    [InlineData("/admin/users", "/admin%2Fusers")]
    [InlineData("/admin", "/public%2F..%2Fadmin")]
    [InlineData("/admin", "/public/..;/admin")]
    [InlineData("/admin/secret", "/admin;x=%2F../secret")]
    [InlineData("/admin/*", "/admin;x=%2F%2e%2e/secret")]
    [InlineData("/admin/a@b", "/admin;x=%2F../a%40b")]
    [InlineData("/secret", "/admin;x=%2F../secret")]
    [InlineData("/a", "/b%2F..;c%2F../a")]
    public void A_path_that_is_refused_is_refused_in_each_spelling_and_one_that_is_allowed_in_its_own_alone(string rule, string sent)
    {
        var settings = new PathSettings { EscapedSlashes = EscapedSlashes.Keep };
        var request = Routing.Ask.Get("a.test", "/");
        request.Head.Target = System.Text.Encoding.ASCII.GetBytes(sent);
        // Some are refused before any policy is asked.
        if (request.Normalize(settings) is not null)
            return;
        var paths = To(new() { Paths = [rule] });
        var others = To(new() { NotPaths = [rule] });
        var own = System.Text.Encoding.ASCII.GetString(request.Path.Path);

        Assert.False(Check([Policy(AuthorizationAction.Deny, "d", paths)], Web, request).Allowed);
        Assert.Equal(own == rule, Check([Policy(AuthorizationAction.Allow, "a", paths)], Web, request).Allowed);
        // What all but one path is refused for, the other spelling is refused for, too; and an exception of what is allowed holds for both.
        Assert.Equal(own == rule, Check([Policy(AuthorizationAction.Deny, "d", others)], Web, request).Allowed);
        Assert.False(Check([Policy(AuthorizationAction.Allow, "a", others)], Web, request).Allowed);
    }

    [Theory]
    [InlineData("/a/b", "/a/b")]
    [InlineData("/a;x=%2F../b;y/", "/a/b/")]
    [InlineData("/a%2F..;x/b", "/b")]
    [InlineData("/a%3Bx/b%2Fc", "/a;x/b/c")]
    [InlineData("/;%2F", "/")]
    [InlineData("/..;x/..%2F..%2F%40", "/@")]
    public void Parameters_are_cut_before_anything_is_decoded(string path, string cut)
    {
        var request = new RequestPath();
        request.Set("/longer/than/the/one;that=comes/after%2Fit"u8, "?q"u8);
        Assert.Equal("/longer/than/the/one/after/it", System.Text.Encoding.ASCII.GetString(request.CutAndSimplified));
        request.Set(System.Text.Encoding.ASCII.GetBytes(path), "?q"u8);
        Assert.Equal(cut, System.Text.Encoding.ASCII.GetString(request.CutAndSimplified));
    }

    [Theory]
    [InlineData("/a/b", "/a/b", "/a/b")]
    [InlineData("/a%40b;x", "/a@b;x", "/a@b")]
    [InlineData("/a%2Fb%5Cc", "/a%2Fb%5Cc", "/a/b/c")]
    [InlineData("/a;x/b;y/", "/a;x/b;y/", "/a/b/")]
    [InlineData("/;x", "/;x", "/")]
    [InlineData("/a/..%2F..%2Fb", "/a/..%2F..%2Fb", "/b")]
    [InlineData("/a%20b%C3%A9", "/a%20b%C3%A9", "/a%20b%C3%A9")]
    public void Spellings(string path, string decoded, string simplified)
    {
        var request = new RequestPath();
        request.Set(System.Text.Encoding.ASCII.GetBytes(path), "?q"u8);
        Assert.Equal((decoded, simplified), (System.Text.Encoding.ASCII.GetString(request.Decoded), System.Text.Encoding.ASCII.GetString(request.Simplified)));
        Assert.Equal(path, System.Text.Encoding.ASCII.GetString(request.Path));
    }

    public static TheoryData<string, AuthorizationRule, bool> Rules => new()
    {
        { "principal", From(new() { Principals = ["mesh.test/ns/shop/sa/web"] }), true },
        { "principal by prefix", From(new() { Principals = ["mesh.test/ns/shop/*"] }), true },
        { "principal by suffix", From(new() { Principals = ["*/sa/web"] }), true },
        { "any principal", From(new() { Principals = ["*"] }), true },
        { "another principal", From(new() { Principals = ["mesh.test/ns/shop/sa/other"] }), false },
        { "not this principal", From(new() { NotPrincipals = ["*/web"] }), false },
        { "namespace", From(new() { Namespaces = ["shop"] }), true },
        { "not this namespace", From(new() { NotNamespaces = ["shop"] }), false },
        { "account", From(new() { ServiceAccounts = ["shop/web"] }), true },
        { "ip", From(new() { IpBlocks = ["192.0.2.0/24"] }), true },
        { "not this ip", From(new() { NotIpBlocks = ["192.0.2.7"] }), false },
        { "remote ip", From(new() { RemoteIpBlocks = ["203.0.113.0/24"] }), true },
        { "all of a source must hold", From(new() { Namespaces = ["shop"], IpBlocks = ["10.0.0.0/8"] }), false },
        { "one of the sources must hold", new() { From = [new() { Namespaces = ["x"] }, new() { Namespaces = ["shop"] }] }, true },
        { "no token", From(new() { RequestPrincipals = ["*"] }), true },
        { "token of another", From(new() { RequestPrincipals = ["https://login.test/bob"] }), false },
        { "host", To(new() { Hosts = ["A.test"] }), true },
        { "host with port", To(new() { Hosts = ["a.test:8080"] }), true },
        { "host by suffix", To(new() { Hosts = ["*.test"] }), true },
        { "not this host, whatever the port", To(new() { NotHosts = ["a.test"] }), false },
        { "port", To(new() { Ports = [8080] }), true },
        { "not this port", To(new() { NotPorts = [8080] }), false },
        { "method", To(new() { Methods = ["GET"] }), true },
        { "path", To(new() { Paths = ["/shop/orders/7"] }), true },
        { "path in another spelling", To(new() { Paths = ["/sho%70/orders/7"] }), true },
        { "path by prefix", To(new() { Paths = ["/shop/*"] }), true },
        { "path by suffix", To(new() { Paths = ["*/7"] }), true },
        { "path by template", To(new() { Paths = ["/shop/{*}/7"] }), true },
        { "path by open template", To(new() { Paths = ["/shop/{**}"] }), true },
        { "template of other length", To(new() { Paths = ["/shop/{*}"] }), false },
        { "not this path", To(new() { NotPaths = ["/shop/{**}"] }), false },
        { "header", When("request.headers[X-Env]", "test"), true },
        { "header, second value", When("request.headers[x-many]", "two"), true },
        { "header, as a list", When("request.headers[x-many]", "one,two"), true },
        { "header that is not there", When("request.headers[x-none]", "*"), false },
        { "claim", When("request.auth.claims[role]", "admin"), true },
        { "nested claim", When("request.auth.claims[realm][roles]", "b*"), true },
        { "claim that is not there", When("request.auth.claims[none]", "*"), false },
        { "audience", When("request.auth.audiences", "shop"), true },
        { "presenter", When("request.auth.presenter", "client-1"), true },
        { "token's principal", When("request.auth.principal", "https://login.test/anna"), true },
        { "source.ip", When("source.ip", "192.0.2.0/25"), true },
        { "remote.ip", When("remote.ip", "203.0.113.9"), true },
        { "destination.ip", When("destination.ip", "198.51.100.1"), true },
        { "destination.port", When("destination.port", "8080"), true },
        { "sni", When("connection.sni", "*.test"), true },
        { "not the values", new() { When = [new("request.headers[x-env]", NotValues: ["test"])] }, false },
        { "not the values of what is not there", new() { When = [new("request.headers[x-none]", NotValues: ["a"])] }, true },
    };

    [Theory, MemberData(nameof(Rules))]
    public void A_rule_matches_or_not(string what, AuthorizationRule rule, bool matches)
    {
        var facts = Routing.Ask.Get("a.test:8080", "/shop/orders/7?a=b", ("x-env", "test"), ("x-many", "one"), ("x-many", "two"));
        facts.ClientAddress = IPAddress.Parse("203.0.113.9");
        var decision = new PolicySet([Policy(AuthorizationAction.Allow, what, rule)]).Check(Web with { ServerName = "a.test" }, facts, new Anna(), []);

        Assert.Equal(matches, decision.Allowed);
    }

    [Fact]
    public void Who_is_unknown_is_nobody()
    {
        AuthorizationRule[] rules =
            [From(new() { Principals = ["*"] }), From(new() { Namespaces = ["*"] }), From(new() { ServiceAccounts = ["*"] }), From(new() { RequestPrincipals = ["*"] }), When("request.auth.claims[a]", "*"), When("connection.sni", "*")];

        Assert.All(rules, rule => Assert.False(Check([Policy(AuthorizationAction.Allow, "a", rule)], Routing.Ask.Connection).Allowed));
    }

    /// <summary>Of a TCP connection no request is known: the doubt keeps the door closed, from both sides.</summary>
    [Fact]
    public void Rules_on_requests_do_not_open_connections()
    {
        var rule = From(new() { Namespaces = ["shop"] }) with { To = [new() { Methods = ["GET"] }] };

        Assert.False(new PolicySet([Policy(AuthorizationAction.Allow, "a", rule)]).Check(Web, null, null, []).Allowed);
        Assert.False(new PolicySet([Policy(AuthorizationAction.Deny, "d", rule)]).Check(Web, null, null, []).Allowed);
        Assert.True(new PolicySet([Policy(AuthorizationAction.Deny, "d", rule with { From = [new() { Namespaces = ["x"] }] })]).Check(Web, null, null, []).Allowed);
    }

    [Theory]
    [InlineData("request.heders[a]")]
    [InlineData("request.headers")]
    [InlineData("experimental.envoy.filters.a")]
    public void A_condition_that_is_not_understood_does_not_compile(string key) => Assert.Throws<ArgumentException>(() => Check([Policy(AuthorizationAction.Allow, "a", When(key, "x"))], Web));

    [Fact]
    public void The_filter_names_policy_and_rule_for_the_record_and_not_for_the_client()
    {
        var context = TestHost.Context("GET", "a.test", "/");

        Assert.Equal(FilterVerdict.Respond, new PolicyFilter(new() { Policies = [Policy(AuthorizationAction.Deny, "ns/secret-name", new AuthorizationRule())] }).OnRequest(context));
        Assert.Equal((403, "ns/secret-name", 0), (context.Reply.Head.Status, context.Policy, context.PolicyRule));
        Assert.DoesNotContain("secret", Routing.Ask.Text(context.Reply.Body.Span), StringComparison.Ordinal);
    }

    private static PolicyDecision Check(AuthorizationPolicyConfig[] policies, ConnectionFacts connection, RequestFacts? request = null)
        => new PolicySet(policies).Check(connection, request ?? Routing.Ask.Get("a.test", "/"), null, []);

    private static AuthorizationPolicyConfig Policy(AuthorizationAction action, string name, params AuthorizationRule[] rules) => new() { Name = name, Action = action, Rules = [.. rules] };

    private static AuthorizationRule From(AuthorizationSource source) => new() { From = [source] };

    private static AuthorizationRule To(AuthorizationOperation operation) => new() { To = [operation] };

    private static AuthorizationRule When(string key, string value) => new() { When = [new(key, [value])] };

    private sealed class Anna : RequestIdentity
    {
        public override string Principal => "https://login.test/anna";

        public override IReadOnlyList<string> Audiences => ["other", "shop"];

        public override string? Presenter => "client-1";

        public override IReadOnlyList<string> Claim(IReadOnlyList<string> path) => string.Join('.', path) switch { "role" => ["admin"], "realm.roles" => ["a", "bc"], _ => [] };
    }
}
