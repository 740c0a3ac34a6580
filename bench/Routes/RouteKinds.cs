using Weft.Proxy.Config.Model;

namespace Weft.Bench.Routes;

/// <param name="Table">So many routes.</param>
/// <param name="Request">One that the n-th of them takes.</param>
internal sealed record RouteKind(string Name, Func<int, RouteTableConfig> Table, Func<int, (string Host, string Target)> Request)
{
    public bool IsRegex { get; init; }
}

internal static class RouteKinds
{
    public static readonly IReadOnlyList<RouteKind> All =
    [
        new("exact paths of one host", n => OneHost(n, i => new() { Path = new(PathMatchKind.Exact, Path(i)) }), i => ("shop.test", Path(i) + "?page=2")),
        new("prefixes of one host", n => OneHost(n, i => new() { Path = new(PathMatchKind.Prefix, Path(i)) }), i => ("shop.test", Path(i) + "/items/7?page=2")),
        new("text prefixes of one host (Istio)", n => OneHost(n, i => new() { Path = new(PathMatchKind.TextPrefix, Path(i) + "/") }), i => ("shop.test", Path(i) + "/items/7")),
        new("prefixes and a header", n => OneHost(n, i => new() { Path = new(PathMatchKind.Prefix, Path(i)), Headers = [new("x-version", StringMatch.Exact("v2"))] }), i => ("shop.test", Path(i) + "/items/7")),
        new("templates of one host", n => OneHost(n, i => new() { Path = new(PathMatchKind.Template, $"/tenants/{{tenant}}{Path(i)}/{{id}}") }), i => ("shop.test", $"/tenants/t{i}{Path(i)}/7")),
        new("hosts with one route each", n => Hosts(n, i => $"s{i}.shop.test"), i => ($"s{i}.shop.test", "/items/7")),
        new("wildcard hosts with one route each", n => Hosts(n, i => $"*.s{i}.shop.test"), i => ($"a.s{i}.shop.test", "/items/7")),
        new("regular expressions, known start", n => OneHost(n, i => new() { Path = new(PathMatchKind.Regex, $"{Path(i)}/[a-z]+/[0-9]+") }), i => ("shop.test", Path(i) + "/items/7")) { IsRegex = true },
        new("regular expressions, one by one", n => OneHost(n, i => new() { Path = new(PathMatchKind.Regex, $".*{Path(i)}/[0-9]+") }), i => ("shop.test", Path(i) + "/7")) { IsRegex = true },
    ];

    private static string Path(int i) => $"/api/v{i % 7}/service-{i}/resource";

    private static RouteTableConfig OneHost(int count, Func<int, RouteMatch> match) => new()
    {
        Name = "t",
        Hosts = [new() { Name = "h", Domains = ["shop.test"], Routes = Enumerable.Range(0, count).Select(i => Route(i, match(i))).ToValueList() }],
    };

    private static RouteTableConfig Hosts(int count, Func<int, string> domain) => new()
    {
        Name = "t",
        Hosts = Enumerable.Range(0, count).Select(i => new VirtualHostConfig { Name = $"h{i}", Domains = [domain(i)], Routes = [Route(i, RouteMatch.Any)] }).ToValueList(),
    };

    private static RouteConfig Route(int i, RouteMatch match) => new() { Name = $"r{i}", Matches = [match], Action = DirectResponse.NotFound };
}
