using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration.Files;

namespace Weft.Proxy.Tests.Configuration.Files;

public sealed class ProxyFileTests
{
    [Fact]
    public void Four_lines_are_a_reverse_proxy()
    {
        var config = Read("""
            listeners:
            - port: 8080
              routes:
              - to: http://127.0.0.1:9000
            """);

        var listener = Assert.Single(config.Listeners);
        Assert.Equal(("port-8080", 8080, ListenerKind.Http, "0.0.0.0"), (listener.Name, listener.Port, listener.Kind, listener.Address));
        var host = Assert.Single(Assert.Single(config.RouteTables).Hosts);
        Assert.Equal(["*"], host.Domains);
        var forward = Assert.IsType<ForwardAction>(Assert.Single(host.Routes).Action);
        Assert.Equal("http://127.0.0.1:9000", Assert.Single(forward.Clusters).Cluster);
        Assert.Equal(RetryPolicy.Default, forward.Retry);
        Assert.Equal(new EndpointConfig { Address = "127.0.0.1", Port = 9000 }, Assert.Single(Assert.Single(config.Clusters).Endpoints));
    }

    [Fact]
    public void What_stands_in_the_file_is_in_the_model()
    {
        var config = Read("""
            listeners:
            - name: web
              port: 8080
              http: {maxHeaderBytes: 16KB, headerTimeout: 5s, trustedProxies: 10.0.0.0/8}
              routes:
              - name: api
                match:
                - prefix: /api
                  methods: [GET, POST]
                  headers: {x-a: "1", x-b: {regex: "[0-9]+"}, x-c: true, x-d: false, x-e: {not: {prefix: bad}}}
                  query: {page: true}
                - template: /v1/{id}
                  ignoreCase: true
                to: [{cluster: one, weight: 90, subset: v1}, {cluster: one, weight: 10}]
                timeout: 1.5s
                idleTimeout: 0
                retry: {on: [serverError, statusCodes], statusCodes: [429], attempts: 3, baseBackoff: 10ms}
                hash: [{header: x-user}, {cookie: {name: c, lifetime: 0, terminal: true}}, source]
                rewrite: {regex: {pattern: "^/api/(.*)", substitution: '/\1'}, host: inner.example}
                upgrades: []
                filters:
                - rateLimit: {requests: 5, per: 1m, keys: [address, {header: x-key}]}
                - fault: {delay: 100ms, delayFraction: 50%}
            clusters:
            - name: one
              endpoints: [{address: 10.0.0.1, port: 80, labels: {version: v1}, locality: a/b/c}]
              subsets: [{name: v1, labels: {version: v1}}]
              loadBalancer: {maglev: {tableSize: 251}}
              healthWeight: {steepness: 10, threshold: 0.5}
              retryBudget: {fraction: 30%}
            """);

        Assert.Equal(16 << 10, config.Listeners[0].Http.MaxHeaderBytes);
        Assert.Equal(["10.0.0.0/8"], config.Listeners[0].Http.TrustedProxies);
        var route = config.RouteTables[0].Hosts[0].Routes[0];
        Assert.Equal(
            [
                new RouteMatch
                {
                    Path = new(PathMatchKind.Prefix, "/api"),
                    Methods = ["GET", "POST"],
                    Headers = [new("x-a", StringMatch.Exact("1")), new("x-b", StringMatch.Regex("[0-9]+")), new("x-c"), new("x-d", Invert: true), new("x-e", StringMatch.Prefix("bad"), Invert: true)],
                    Query = [new("page")],
                },
                new RouteMatch { Path = new(PathMatchKind.Template, "/v1/{id}", IgnoreCase: true) },
            ], route.Matches);
        Assert.Equal([new RateLimitFilter { Requests = 5, Per = TimeSpan.FromMinutes(1), Keys = [new AddressKey(), new HeaderKey("x-key")] }, new FaultFilter { Delay = TimeSpan.FromMilliseconds(100), DelayFraction = 0.5 }], route.Filters);
        Assert.Equal(
            new ForwardAction
            {
                Clusters = [new() { Cluster = "one", Weight = 90, Subset = "v1" }, new() { Cluster = "one", Weight = 10 }],
                Timeout = TimeSpan.FromSeconds(1.5),
                IdleTimeout = TimeSpan.Zero,
                Retry = new() { On = RetryOn.ServerError | RetryOn.StatusCodes, StatusCodes = [429], Attempts = 3, BaseBackoff = TimeSpan.FromMilliseconds(10) },
                Hash = [new HeaderHash("x-user"), new CookieHash("c") { Lifetime = TimeSpan.Zero, Terminal = true }, new SourceHash()],
                Rewrite = new() { Regex = new("^/api/(.*)", @"/\1"), Host = "inner.example" },
                Upgrades = [],
            }, route.Action);
        Assert.Equal(new MaglevBalancer { TableSize = 251 }, config.Clusters[0].LoadBalancer);
        Assert.Equal(new Weft.Balancing.Health.HealthWeight(10, 0.5), config.Clusters[0].HealthWeight);
        Assert.Equal(new RetryBudget(0.3), config.Clusters[0].RetryBudget);
        Assert.Equal(new Weft.Balancing.Locality("a", "b", "c"), config.Clusters[0].Endpoints[0].Locality);
    }

    [Fact]
    public void What_a_cluster_bears_and_whom_it_speaks_for_is_in_the_model()
    {
        var config = Read("""
            listeners:
            - {port: 8080, kind: tcp, to: shop, transparent: true, keepAlive: {idle: 0}}
            clusters:
            - name: shop
              dns: {name: _http._tcp.shop.example, srv: true, servers: [10.0.0.53, "10.0.1.53:5353"]}
              locality:
                distribute:
                - {from: eu/eu-1, to: {eu/eu-1: 80, eu/eu-2: 20}}
              adaptiveConcurrency: {least: 5, most: 500}
              keepAlive: {idle: 30s, interval: 5s, probes: 3}
              proxyProtocol: v2
              preserveSource: true
            overload: {maxRequests: 20000, maxMemoryBytes: 2GB, maxLoopDelay: 200ms}
            """);

        var cluster = config.Clusters[0];
        Assert.Equal(new DnsDiscovery("_http._tcp.shop.example") { Srv = true, Servers = ["10.0.0.53", "10.0.1.53:5353"] }, cluster.Dns);
        Assert.Equal(new LocalityPolicy { Distribute = [new("eu/eu-1", [new("eu/eu-1", 80), new("eu/eu-2", 20)])] }, cluster.Locality);
        Assert.Equal(new AdaptiveConcurrency(5, 500), cluster.AdaptiveConcurrency);
        Assert.Equal(new TcpKeepAlive { Idle = TimeSpan.FromSeconds(30), Interval = TimeSpan.FromSeconds(5), Probes = 3 }, cluster.KeepAlive);
        Assert.Equal((ProxyProtocolVersion.V2, true), (cluster.ProxyProtocol, cluster.PreserveSource));
        Assert.Equal(new OverloadConfig { MaxRequests = 20_000, MaxMemoryBytes = 2L << 30, MaxLoopDelay = TimeSpan.FromMilliseconds(200) }, config.Overload);
        Assert.Equal((true, TimeSpan.Zero), (config.Listeners[0].Transparent, config.Listeners[0].KeepAlive!.Idle));
    }

    [Fact]
    public void What_a_cluster_cannot_mean_is_an_error_of_its_field()
    {
        var errors = ProxyFile.Read("""
            listeners:
            - {port: 5353, kind: udp, to: shop, transparent: true}
            clusters:
            - name: shop
              dns: {name: "a..b", port: 80, servers: [resolver]}
              locality: {distribute: [{from: eu, to: {eu: 50, us: 20}}], failover: true}
              adaptiveConcurrency: {least: 10, most: 5}
              keepAlive: {idle: 10h, interval: 5s, probes: 3}
            overload: {maxRequests: -1}
            """).Errors.Select(e => $"{e.Line} {e.Path}").ToList();

        Assert.Equal(
            [
                "2 listeners[0].transparent", "5 clusters[0].dns.name", "5 clusters[0].dns.servers[0]", "6 clusters[0].locality", "6 clusters[0].locality.distribute[0].to",
                "7 clusters[0].adaptiveConcurrency", "8 clusters[0].keepAlive", "9 overload.maxRequests",
            ], errors.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void All_errors_come_at_once_with_path_and_line()
    {
        var errors = ProxyFile.Read("""
            listeners:
            - port: 99999x
              colour: blue
              routes:
              - to: web
                timeout: soon
              - match: {headers: {x: {like: a}}}
                respond: 200
                redirect: https
            clusters:
            - endpoints: [here]
            """).Errors;

        Assert.Equal(
            [
                "line 2: listeners[0].port: '99999x' is not a number",
                "line 3: listeners[0].colour: there is no such field",
                "line 6: listeners[0].routes[0].timeout: 'soon' is not a duration",
                "line 7: listeners[0].routes[1].match.headers.x.like: there is no such field",
                "line 7: listeners[0].routes[1].match.headers.x: needs one of exact",
                "line 7: listeners[0].routes[1]: a route has one of to",
                "line 11: clusters[0].endpoints[0]: 'here' is not an address",
            ], errors.Select(e => e.ToString()).Select(Beginning).OrderBy(e => int.Parse(e.Split(' ', ':')[1])).ThenBy(e => e, StringComparer.Ordinal).ToList());
    }

    [Fact]
    public void What_does_not_fit_together_is_found_where_it_stands()
    {
        var errors = ProxyFile.Read("""
            listeners:
            - port: 8080
              routes:
              - to: nowhere
              - match: {regex: "(a"}
                to: web
              - match: {regex: "(?=a)b"}
                to: web
              - match: {template: "/a/{**}/{*}"}
                to: [{cluster: web, weight: 0}]
              - respond: {status: 700}
            - port: 8080
              name: again
              to: web
            - port: 9000
              kind: tcp
            clusters:
            - name: web
              endpoints: [10.0.0.1:80, 10.0.0.1:80]
              loadBalancer: {maglev: {tableSize: 100}}
            """).Errors.Select(e => $"{e.Line} {e.Path}").ToList();

        Assert.Contains("4 listeners[0].routes[0].clusters[0]", errors);
        Assert.Contains("5 listeners[0].routes[1].match[0].path", errors);
        Assert.Contains("7 listeners[0].routes[2].match[0].path", errors);
        Assert.Contains("9 listeners[0].routes[3].match[0].path", errors);
        Assert.Contains("9 listeners[0].routes[3].clusters", errors);
        Assert.Contains("11 listeners[0].routes[4].status", errors);
        Assert.Contains("12 listeners[1].port", errors);
        Assert.Contains("15 listeners[2]", errors);
        Assert.Contains("19 clusters[0].endpoints[1]", errors);
        Assert.Contains(errors, e => e.StartsWith("20 clusters[0].loadBalancer", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("connection", "a", "frames messages")]
    [InlineData("content-length", "5", "frames messages")]
    [InlineData("x-a", "a\\r\\nx-b: c", "control character")]
    [InlineData("x a", "b", "no name of a field")]
    [InlineData("x-a", "%WHO%", "is not known")]
    [InlineData("x-a", "100%", "single percent sign")]
    public void Fields_that_could_make_another_message_are_refused(string name, string value, string message)
    {
        var errors = ProxyFile.Read($"""
            listeners:
            - port: 80
              routes:
              - respond: 200
                filters:
                - headers:
                    response:
                      set:
                        "{name}": "{value}"
            """).Errors;

        Assert.Contains(errors, e => e.Message.Contains(message, StringComparison.Ordinal) && e.Line == 6);
    }

    [Theory]
    [InlineData("a: [", "is not YAML")]
    [InlineData("admin: {}\nadmin: {}", "stands twice")]
    [InlineData("--- {}\n--- {}", "second document")]
    [InlineData("a: *x", "no anchor")]
    [InlineData("listeners: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "levels")]
    [InlineData("- 1", "fields")]
    public void What_is_no_configuration_is_said(string text, string message) => Assert.Contains(ProxyFile.Read(text).Errors, e => e.Message.Contains(message, StringComparison.Ordinal));

    [Fact]
    public void An_alias_is_its_anchor_again()
    {
        var config = Read("""
            clusters:
            - &web {name: web, endpoints: [10.0.0.1:80]}
            listeners:
            - port: 80
              routes: &routes
              - {name: one, to: web}
            - {port: 81, routes: *routes}
            """);

        Assert.Equal(config.RouteTables[0].Hosts, config.RouteTables[1].Hosts);
    }

    [Fact]
    public void Aliases_of_aliases_do_not_grow_without_end()
    {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 12).Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));

        // Each level ten times the one before: 10^13 texts if all of it were read.
        var errors = ProxyFile.Read(text + "listeners: [{port: 80, routes: [{respond: 200, filters: [{jwt: {providers: *a12}}]}]}]").Errors;

        Assert.NotEmpty(errors);
        Assert.True(errors.Count <= 100);
    }

    private static string Beginning(string error)
    {
        string[] ends = ["is not a number", "there is no such field", "is not a duration", "one of to", "needs one of exact", "is not an address"];
        var end = ends.First(e => error.Contains(e, StringComparison.Ordinal));
        return error[..(error.IndexOf(end, StringComparison.Ordinal) + end.Length)];
    }

    private static ProxyConfig Read(string text)
    {
        var (config, errors) = ProxyFile.Read(text);
        Assert.Empty(errors);
        return config!;
    }
}
