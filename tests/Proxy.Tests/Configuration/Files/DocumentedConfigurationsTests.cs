using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration.Files;
using Weft.Proxy.Filters;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Tests.Configuration.Files;

/// <summary>docs/proxy.md: each of its configurations can be used.</summary>
public sealed class DocumentedConfigurationsTests
{
    private static readonly Type[] NeedServices = [typeof(JwtFilter), typeof(ApiKeyFilter), typeof(BasicAuthFilter)];

    public static TheoryData<int> Numbers => new(Enumerable.Range(0, Documents().Count));

    [Fact]
    public void There_are_the_first_and_eleven_more() => Assert.Equal(12, Documents().Count);

    [Theory, MemberData(nameof(Numbers))]
    public void Is_valid_and_compiles(int number)
    {
        var (config, errors) = ProxyFile.Read(Documents()[number]);

        Assert.Empty(errors);
        Assert.NotNull(config);
        Assert.NotEmpty(config.Listeners);
        // Filters that need keys are made by who starts the proxy.
        var kinds = new Dictionary<Type, Func<FilterConfig, IFilter>>(FilterKinds.WithoutServices);
        foreach (var kind in NeedServices)
            kinds[kind] = _ => new Nothing();
        foreach (var listener in config.Listeners.Where(l => l.RouteTable is not null))
            Assert.NotNull(RouteTable.Compile(config.RouteTables.Single(t => t.Name == listener.RouteTable), listener, new FilterFactory(kinds)));
    }

    [Fact]
    public void A_file_that_is_read_twice_is_the_same() => Assert.All(Documents(), text => Assert.Equal(ProxyFile.Read(text).Config, ProxyFile.Read(text).Config));

    private static List<string> Documents([CallerFilePath] string file = "")
    {
        var page = System.IO.File.ReadAllText(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../../../docs/proxy.md")));
        return [.. Regex.Matches(page, "```yaml\n(?<text>.*?)```", RegexOptions.Singleline, TimeSpan.FromSeconds(10)).Select(m => m.Groups["text"].Value)];
    }

    private sealed class Nothing : RequestFilter
    {
        public override FilterVerdict OnRequest(ExchangeContext context) => FilterVerdict.Continue;
    }
}
