using System.Net;
using System.Text.Json;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Filters;
using Weft.Testing;

namespace Weft.Proxy.Tests.Forwarding;

/// <summary>The letters of Envoy's response flags, by what has happened.</summary>
public sealed class RecordFlagTests
{
    private static readonly AuthorizationRule Everything = new();

    public static TheoryData<string, string, int, FilterConfig[]> Filters => new()
    {
        { "policy that refuses", "UAEX", 403, [Authorization(AuthorizationAction.Deny, Everything)] },
        { "policy that allows nothing", "UAEX", 403, [Authorization(AuthorizationAction.Allow)] },
        { "authorizer that is away", "UAEX", 403, [new ExternalAuthorizationFilter { Cluster = "away" }] },
        { "rate limit", "RL", 429, [new RateLimitFilter { Requests = 1, Per = TimeSpan.FromHours(1) }, new RateLimitFilter { Requests = 1, Per = TimeSpan.FromHours(1) }] },
        { "abort", "FI", 418, [new FaultFilter { AbortStatus = 418, AbortFraction = 1 }] },
        { "delay", "DI", 200, [new FaultFilter { Delay = TimeSpan.FromMilliseconds(1), DelayFraction = 1 }] },
        { "delay and abort", "DI,FI", 418, [new FaultFilter { Delay = TimeSpan.FromMilliseconds(1), DelayFraction = 1, AbortStatus = 418, AbortFraction = 1 }] },
        { "no key", "-", 401, [new ApiKeyFilter { Keys = [new("a", new string('0', 64))] }] },
    };

    [Theory, MemberData(nameof(Filters))]
    public async Task Of_filters(string what, string flags, int status, FilterConfig[] filters)
    {
        await using var endpoint = await ProxyFixture.ServerAsync(Echo.AnswerAsync);
        var config = Echo.Config(endpoint, filters);
        await using var proxy = await ProxyFixture.StartAsync(config with { Clusters = [.. config.Clusters, new ClusterConfig { Name = "away", Endpoints = [new EndpointConfig { Address = "127.0.0.1", Port = 9 }] }] });

        // The bucket of the first request is empty for the second.
        using (await proxy.GetAsync("/first"))
        using (var response = await proxy.GetAsync("/second"))
            Assert.Equal((HttpStatusCode)status, response.StatusCode);

        Assert.Equal(flags, await FlagsAsync(proxy, "/second"));
        Assert.Contains($"response_flags=\"{flags}\"", proxy.Metrics(), StringComparison.Ordinal);
        Assert.NotEmpty(what);
    }

    [Theory]
    [InlineData("no route", "NR", 404)]
    [InlineData("no endpoint", "UH", 503)]
    [InlineData("no connection", "UF,URX", 503)]
    public async Task Of_routes(string what, string flags, int status)
    {
        EndpointConfig[] endpoints = what == "no connection" ? [new EndpointConfig { Address = "127.0.0.1", Port = 9 }] : [];
        var route = new RouteConfig { Name = "r", Matches = [new() { Path = new(PathMatchKind.Exact, what == "no route" ? "/other" : "/x") }], Action = new ForwardAction { Clusters = [new() { Cluster = "c" }] } };
        await using var proxy = await ProxyFixture.StartAsync(route, new ClusterConfig { Name = "c", Endpoints = [.. endpoints] });

        using (var response = await proxy.GetAsync("/x"))
            Assert.Equal((HttpStatusCode)status, response.StatusCode);

        Assert.Equal(flags, await FlagsAsync(proxy, "/x"));
    }

    private static AuthorizationFilter Authorization(AuthorizationAction action, params AuthorizationRule[] rules) => new() { Policies = [new() { Name = "p", Action = action, Rules = [.. rules] }] };

    private static async Task<string?> FlagsAsync(ProxyFixture proxy, string path)
    {
        await Eventually.TrueAsync(() => proxy.Records().Contains($"\"path\":\"{path}\"", StringComparison.Ordinal), state: proxy.Records);
        var line = proxy.Records().Split('\n').Last(line => line.Contains($"\"path\":\"{path}\"", StringComparison.Ordinal));
        return JsonDocument.Parse(line).RootElement.GetProperty("response_flags").GetString();
    }
}
