using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Tests.Routing;

/// <summary>The table finds what a walk along the list would: random tables of few words, so that rules overlap in all ways.</summary>
public sealed class RouteTablePropertyTests
{
    private static readonly string[] Words = ["a", "b", "ab", "A", "x.y", ""];
    private static readonly string[] Names = ["one.test", "two.test", "sub.one.test", "deep.sub.one.test", "test"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Finds_the_first_rule_of_the_list(int seed)
    {
        var random = new Random(seed);
        var found = 0;
        for (var t = 0; t < 60; t++)
        {
            var config = Table(random);
            var table = RouteTable.Compile(config, new ListenerConfig { Name = "main" }, new FilterFactory(FilterKinds.WithoutServices));
            for (var r = 0; r < 50; r++)
            {
                var request = Request(random);
                var expected = NaiveMatcher.Find(config, request);
                var target = request.Path + (request.Query.Length > 0 ? "?" + request.Query : "");
                var facts = Ask.For(request.Method, request.Port == 0 ? request.Host : $"{request.Host}:{request.Port}", target, [.. request.Headers]);

                var route = table.Find(facts).Route;

                Assert.True((expected ?? "no-route") == route.Name, $"{route.Name} in place of {expected} for {request} in {config}");
                found += expected is null ? 0 : 1;
            }
        }

        // Otherwise all of this would be true of a table that finds nothing.
        Assert.InRange(found, 600, 2900);
    }

    private static RouteTableConfig Table(Random random)
    {
        string[] domains = ["*", "*.test", "*.one.test", "*.sub.one.test", "one.test", "two.test", "sub.one.test", "one.test:8080", "*.test:8080", "*:8080"];
        var chosen = domains.Where(_ => random.Next(3) > 0).ToList();
        var number = 0;
        return new()
        {
            Name = "t",
            Hosts = chosen.Select(d => new VirtualHostConfig
            {
                Name = d,
                Domains = [d],
                Routes = Enumerable.Range(0, random.Next(12)).Select(_ => new RouteConfig
                {
                    Name = $"r{number++}",
                    Matches = Enumerable.Range(0, random.Next(3)).Select(_ => Match(random)).ToValueList(),
                }).ToValueList(),
            }).ToValueList(),
        };
    }

    private static RouteMatch Match(Random random) => new()
    {
        Path = random.Next(6) == 0 ? null : Path(random),
        Methods = random.Next(4) > 0 ? [] : random.Next(2) == 0 ? ["GET"] : ["POST", "PUT"],
        Headers = random.Next(4) > 0 ? [] : [Named(random)],
        Query = random.Next(4) > 0 ? [] : [Named(random)],
    };

    private static NamedMatch Named(Random random)
        => new(random.Next(2) == 0 ? "x" : "y", random.Next(4) == 0 ? null : new()
        {
            Kind = (TextMatch)random.Next(5),
            Value = Pick(random, ["a", "b", "ab", "A"]),
            IgnoreCase = random.Next(3) == 0,
        }, random.Next(4) == 0);

    private static PathMatch Path(Random random)
    {
        var segments = "/" + string.Join('/', Enumerable.Range(0, random.Next(4)).Select(_ => Pick(random, ["a", "b", "ab", "A"])));
        var ignoreCase = random.Next(4) == 0;
        return random.Next(6) switch
        {
            0 => new(PathMatchKind.Exact, segments + (random.Next(3) == 0 && segments != "/" ? "/" : ""), ignoreCase),
            1 => new(PathMatchKind.Prefix, segments, ignoreCase),
            2 => new(PathMatchKind.TextPrefix, segments, ignoreCase),
            3 => new(PathMatchKind.Regex, Pick(random, ["/a.*", "/(a|b)/.*", "/[ab]+", ".*/ab", "^/ab?", "/a/b*", "/a|/b/a", "/x\\.y/.*", "/ab+/a", "/a{2}", "/A/(?i)b"]), ignoreCase),
            _ => new(PathMatchKind.Template, Template(random), ignoreCase),
        };
    }

    private static string Template(Random random)
    {
        var text = string.Concat(Enumerable.Range(0, 1 + random.Next(3)).Select(_ => "/" + Pick(random, ["a", "b", "{*}", "{id}", "ab"])));
        return random.Next(3) switch { 0 => text + "/{**}", 1 => text + "/{**}/b", _ => text };
    }

    private static PlainRequest Request(Random random)
    {
        var path = "/" + string.Join('/', Enumerable.Range(0, random.Next(5)).Select(_ => Pick(random, Words)).Where(w => w.Length > 0)) + (random.Next(4) == 0 ? "/" : "");
        return new(
            Pick(random, ["GET", "POST", "PUT", "DELETE"]),
            Pick(random, Names),
            Pick(random, [0, 80, 8080]),
            path.Replace("//", "/", StringComparison.Ordinal),
            Pick(random, ["", "x=a", "y=b&x=ab", "x=A&x=b", "z=a"]),
            [.. Enumerable.Range(0, random.Next(3)).Select(_ => (Pick(random, ["x", "X", "y"]), Pick(random, ["a", "ab", "b", "A"])))]);
    }

    private static T Pick<T>(Random random, T[] from) => from[random.Next(from.Length)];
}
