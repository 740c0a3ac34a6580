using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Weft.Cli.Tests.Docs;

/// <summary>The guide's page of Istio's kinds names every field that the mesh says has no effect: those of the compiler's goldens by their paths, those of its sources by their names.</summary>
public sealed partial class IstioPageTests
{
    private static readonly string Checkout = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", ".."));

    private static string ThisFile([CallerFilePath] string file = "") => file;

    // Ingresses are not Istio's: the front door's page has their annotations.
    private static readonly string[] Others = ["Ingress", "IngressClass"];

    private static string Page => File.ReadAllText(Path.Combine(Checkout, "docs", "guide", "istio.md"));

    [Fact]
    public void Each_field_of_the_goldens_stands_in_the_section_of_its_kind()
    {
        var sections = Section().Matches(Page).ToDictionary(match => match.Groups["kind"].Value, match => match.Groups["text"].Value);
        var told = Directory.EnumerateFiles(Path.Combine(Checkout, "tests", "Control.Tests", "Mesh", "Golden"), "*.txt").SelectMany(File.ReadLines)
            .Select(line => Told().Match(line)).Where(match => match.Success && !Others.Contains(match.Groups["kind"].Value))
            .Select(match => (Kind: match.Groups["kind"].Value, Field: Plain(match.Groups["field"].Value))).Distinct().ToList();
        Assert.True(told.Count > 30, "the goldens are not read as they are written");
        Assert.DoesNotContain(told, one => !sections.GetValueOrDefault(one.Kind, "").Contains($"`{one.Field}`", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_field_of_the_sources_is_named()
    {
        var names = Directory.EnumerateFiles(Path.Combine(Checkout, "src", "Control", "Mesh"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("Ingresses", StringComparison.Ordinal) && !file.EndsWith("FrontDoorJobs.cs", StringComparison.Ordinal)).SelectMany(File.ReadLines)
            .Select(line => Source().Match(line)).Where(match => match.Success).Select(match => match.Groups["name"].Value).Distinct().ToList();
        Assert.True(names.Count > 20, "the sources are not read as they are written");
        var page = Page;
        Assert.DoesNotContain(names, name => !page.Contains(name, StringComparison.Ordinal));
    }

    /// <summary>`spec.http[0].retries` is `http[].retries`; keys of maps are `*`.</summary>
    private static string Plain(string field) => Key().Replace(Index().Replace(field.StartsWith("spec.", StringComparison.Ordinal) ? field[5..] : field, "[]"), "${map}.*");

    [GeneratedRegex(@"^## (?<kind>[A-Z]\w+)\n(?<text>.*?)(?=^## |\z)", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Section();

    [GeneratedRegex(@"^unsupported (?<kind>\w+) \S+ (?<field>([^:\[]|\[[^\]]*\])+): ", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Told();

    [GeneratedRegex(@"Unsupported(If)?\([^""]*(""DYNAMIC_DNS"")?[^""]*\$?""[^""]*\.(?<name>[a-zA-Z0-9]+)(\[[^""]*\])?""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Source();

    [GeneratedRegex(@"\[\d+\]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Index();

    [GeneratedRegex(@"\b(?<map>customTags|tagOverrides|request\.set|request\.add|response\.set|response\.add)\.[^.]+", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Key();
}
