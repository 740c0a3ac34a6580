using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Http;
using Weft.Proxy.Routing;
using Weft.Proxy.Routing.Actions;
using Weft.Proxy.Tests.Filters;

namespace Weft.Proxy.Tests.Routing;

public sealed class ActionTests
{
    // Path, prefix that matched, what it becomes, result: the first rows are the table of Gateway API's ReplacePrefixMatch.
    [Theory]
    [InlineData("/foo/bar", "/foo", "/xyz", "/xyz/bar")]
    [InlineData("/foo/bar", "/foo", "/xyz/", "/xyz/bar")]
    [InlineData("/foo/bar", "/foo/", "/xyz", "/xyz/bar")]
    [InlineData("/foo", "/foo", "/xyz", "/xyz")]
    [InlineData("/foo/", "/foo", "/xyz", "/xyz/")]
    [InlineData("/foo/bar", "/foo", "", "/bar")]
    [InlineData("/foo/", "/foo", "", "/")]
    [InlineData("/foo", "/foo", "", "/")]
    [InlineData("/foo/", "/foo", "/", "/")]
    [InlineData("/foo", "/foo", "/", "/")]
    [InlineData("/x", "/", "/b", "/b/x")]
    [InlineData("/foo/bar?a=b", "/foo", "/xyz", "/xyz/bar?a=b")]
    [InlineData("/foo/bar?", "/foo", "/a b", "/a%20b/bar?")]
    public void A_prefix_is_replaced(string target, string prefix, string by, string expected)
        => Assert.Equal(expected, Rewritten(target, new(PathMatchKind.Prefix, prefix), new() { Prefix = by }));

    [Theory]
    [InlineData("/api/v1/x", "/api/v1", "/", "/x")]
    [InlineData("/api/v1x", "/api/v1", "/", "/x")]
    [InlineData("/x", "/", "/b", "/b/x")]
    [InlineData("/api/", "/api/", "/v2", "/v2")]
    public void A_prefix_of_characters_is_replaced(string target, string prefix, string by, string expected)
        => Assert.Equal(expected, Rewritten(target, new(PathMatchKind.TextPrefix, prefix), new() { Prefix = by }));

    [Theory]
    [InlineData("^/service/([^/]+)(/.*)$", @"\2/instance/\1", "/service/foo/v1/api?q=1", "/v1/api/instance/foo?q=1")]
    [InlineData("one", "two", "/xxx/one/yyy/one/zzz", "/xxx/two/yyy/two/zzz")]
    [InlineData("^/a", "/$1", "/a/b", "/$1/b")]
    [InlineData("x", "..", "/a/x/b", "/b")]
    public void Expressions_are_replaced(string pattern, string substitution, string target, string expected)
        => Assert.Equal(expected, Rewritten(target, new(PathMatchKind.Prefix, "/"), new() { Regex = new(pattern, substitution) }));

    [Fact]
    public void A_rewrite_that_leads_above_the_root_is_refused() => Assert.Null(Rewritten("/x/b", new(PathMatchKind.Prefix, "/"), new() { Regex = new("x", "..") }));

    [Fact]
    public void Without_a_rewrite_the_endpoint_sees_the_normal_form()
    {
        var facts = Ask.Get("A.test:80", "/");
        facts.Head.Target = "/a/../b%7e?x"u8;
        Assert.Null(facts.Normalize(PathSettings.Default));
        Assert.True(new RewritePlan(Rewrite.None).TryApply(facts, 0));
        Assert.Equal(("/b~?x", "a.test:80"), (Ask.Text(facts.Head.Target), Ask.Text(facts.Head.Authority)));
    }

    public static TheoryData<RedirectAction, string, string, string> Redirects => new()
    {
        { new() { Scheme = "https" }, "a.test", "/p?q=1", "https://a.test/p?q=1" },
        { new() { Scheme = "https" }, "a.test:8080", "/p", "https://a.test/p" },
        { new() { Scheme = "https", Port = 8443 }, "a.test:8080", "/p", "https://a.test:8443/p" },
        { new() { Scheme = "https", Port = 443 }, "a.test", "/p", "https://a.test/p" },
        { new() { Host = "b.test" }, "a.test:8080", "/p", "http://b.test/p" },
        { new() { Path = "/new" }, "a.test:8080", "/p?q=1", "http://a.test:8080/new?q=1" },
        { new() { Path = "/new?x=1" }, "a.test", "/p?q=1", "http://a.test/new?x=1" },
        { new() { Path = "/new", DropQuery = true }, "a.test", "/p?q=1", "http://a.test/new" },
        { new() { Prefix = "/v2" }, "a.test", "/p/x", "http://a.test/v2/x" },
        { new() { Scheme = "https" }, "a.test", "//evil.test/x", "https://a.test/evil.test/x" },
        { new() { Scheme = "https" }, "[2001:db8::1]:80", "/caf%c3%a9", "https://[2001:db8::1]/caf%C3%A9" },
    };

    [Theory, MemberData(nameof(Redirects))]
    public void A_redirect_is_a_whole_address(RedirectAction action, string authority, string target, string location)
    {
        var context = TestHost.Context("GET", authority, target);

        Assert.Equal(FilterVerdict.Respond, new RedirectPlan(action).Respond(context, "/p".Length));

        Assert.Equal((301, location), (context.Reply.Head.Status, TestHost.Header(context.Reply.Head.Headers, "location")));
    }

    /// <summary>What a client writes cannot end a field: such paths get no route, and the answer has none of them.</summary>
    [Theory]
    [InlineData("/%0d%0aset-cookie:%20a")]
    [InlineData("/a%0D%0A%0D%0A<script>")]
    [InlineData("/\r\nx: y")]
    public void Nothing_of_a_request_splits_an_answer(string target)
    {
        var facts = Ask.Get("a.test", "/");
        facts.Head.Target = System.Text.Encoding.Latin1.GetBytes(target);

        Assert.Equal("path_control_character", facts.Normalize(PathSettings.Default));
        Assert.True(facts.Path.Target.IsEmpty);
    }

    [Fact]
    public void Weights_are_shares_of_the_numbers()
    {
        var split = new ClusterSplit([new(new() { Cluster = "a", Weight = 90 }), new(new() { Cluster = "none", Weight = 0 }), new(new() { Cluster = "b", Weight = 10 })]);
        var rng = new Rng(7);

        var picked = Enumerable.Range(0, 100_000).Select(_ => split.Pick(rng.Next()).Cluster).CountBy(c => c).ToDictionary();

        Assert.Equal(2, picked.Count);
        // 10,000 with a deviation of 95.
        Assert.InRange(picked["b"], 9500, 10_500);
        Assert.Equal("a", split.Pick(0).Cluster);
        Assert.Equal("b", split.Pick(ulong.MaxValue).Cluster);
    }

    [Fact]
    public void A_cookie_brings_a_client_back_to_its_version()
    {
        var plan = new ForwardPlan(new() { Clusters = [new() { Cluster = "a" }, new() { Cluster = "b" }], StickySplit = new CookieHash("v") { Lifetime = TimeSpan.FromHours(1) } });
        var rng = new Rng(3);
        var seen = new HashSet<string>();
        for (var i = 0; i < 50; i++)
        {
            var first = plan.Choose(Ask.Get("a.test", "/"), ref rng, out var made);
            var response = new ResponseHead();
            made!.Value.AddTo(response.Headers, secure: true);
            var cookie = TestHost.Header(response.Headers, "set-cookie")!;
            Assert.Matches("^v=[0-9a-f]{16}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure$", cookie);

            var again = plan.Choose(Ask.Get("a.test", "/", ("cookie", $"x=1; {cookie.Split(';')[0]}")), ref rng, out var none);

            Assert.Same(first, again);
            Assert.Null(none);
            seen.Add(first.Cluster);
        }

        Assert.Equal(2, seen.Count);
    }

    [Fact]
    public void Path_with_query_and_host_hash_as_fields_do()
    {
        var rng = new Rng(1);
        ulong? Of(string name, string host, string target) => new HashPlan([new HeaderHash(name)]).Of(Ask.Get(host, target), ref rng, out _);
        Assert.Equal(Of(":path", "a.test", "/x?y=1"), Of(":path", "b.test", "/x?y=1"));
        Assert.NotEqual(Of(":path", "a.test", "/x?y=1"), Of(":path", "a.test", "/x?y=2"));
        Assert.Equal(Of(":authority", "a.test", "/x"), Of(":authority", "a.test", "/y"));
        Assert.NotEqual(Of(":authority", "a.test", "/x"), Of(":authority", "b.test", "/x"));
    }

    [Fact]
    public void Hashes_depend_on_what_they_are_told_and_stop_where_they_are_told()
    {
        var rng = new Rng(1);
        var plan = new HashPlan([new HeaderHash("X-User") { Terminal = true }, new QueryHash("id"), new SourceHash()]);
        ulong? Of(string target, params (string, string)[] headers) => plan.Of(Ask.Get("a.test", target, headers), ref rng, out _);

        Assert.Equal(Of("/?id=1", ("x-user", "u")), Of("/?id=2", ("x-user", "u")));
        Assert.NotEqual(Of("/?id=1"), Of("/?id=2"));
        Assert.Equal(Of("/a?id=1"), Of("/b?x=3&id=1"));
        Assert.NotNull(Of("/"));
        Assert.Null(new HashPlan([new HeaderHash("x-user"), new CookieHash("c")]).Of(Ask.Get("a.test", "/"), ref rng, out _));
    }

    private static string? Rewritten(string target, PathMatch match, Rewrite rewrite)
    {
        var table = RouteTable.Compile(
            new() { Name = "t", Hosts = [new() { Name = "h", Domains = ["*"], Routes = [new() { Name = "r", Matches = [new() { Path = match }], Action = new ForwardAction { Clusters = [new() { Cluster = "c" }], Rewrite = rewrite } }] }] },
            new() { Name = "l" }, new(FilterKinds.WithoutServices));
        var facts = Ask.Get("a.test", target);
        var found = table.Find(facts);
        Assert.Equal("r", found.Route.Name);
        return found.Route.Forward!.Rewrite.TryApply(facts, found.PrefixLength) ? Ask.Text(facts.Head.Target) : null;
    }
}
