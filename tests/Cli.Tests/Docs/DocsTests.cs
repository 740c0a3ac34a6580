using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Weft.Cli.Tests.Docs;

/// <summary>Documents outlive code unless something looks: every file and type that they name in backticks must be there.</summary>
public sealed partial class DocsTests
{
    private static readonly string Checkout = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", ".."));

    private static string ThisFile([CallerFilePath] string file = "") => file;

    public static TheoryData<string> Documents =>
    [
        .. Directory.EnumerateFiles(Path.Combine(Checkout, "docs"), "*.md", SearchOption.AllDirectories)
            .Append(Path.Combine(Checkout, "README.md")).Where(File.Exists).Select(file => Path.GetRelativePath(Checkout, file)),
    ];

    [Theory, MemberData(nameof(Documents))]
    public void Every_path_that_a_document_names_exists(string document)
    {
        var missing = Tokens(document).Where(token => RepositoryPath().IsMatch(token))
            .Where(path => !File.Exists(Path.Combine(Checkout, path)) && !Directory.Exists(Path.Combine(Checkout, path))).ToList();
        Assert.Empty(missing);
    }

    [Theory, MemberData(nameof(Documents))]
    public void Every_type_that_a_document_names_exists(string document)
    {
        var declared = DeclaredTypes();
        var missing = Tokens(document).Where(token => TypeName().IsMatch(token)).Select(token => token.Split('.', '<')[0])
            .Where(name => !declared.Contains(name)).Distinct().ToList();
        Assert.Empty(missing);
    }

    // Decisions tell what was thought at their date; they may name what is no more.
    private static IEnumerable<string> Tokens(string document) => document.Contains("decisions", StringComparison.Ordinal)
        ? []
        : InlineCode().Matches(CodeBlock().Replace(File.ReadAllText(Path.Combine(Checkout, document)), "")).Select(match => match.Groups["code"].Value);

    private static HashSet<string> DeclaredTypes() => Directory.EnumerateFiles(Path.Combine(Checkout, "src"), "*.cs", SearchOption.AllDirectories)
        .Concat(Directory.EnumerateFiles(Path.Combine(Checkout, "tests"), "*.cs", SearchOption.AllDirectories))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
        .SelectMany(file => Declaration().Matches(File.ReadAllText(file))).Select(match => match.Groups["name"].Value).ToHashSet();

    [GeneratedRegex("`(?<code>[^`\n]+)`", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex InlineCode();

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline, 1000)]
    private static partial Regex CodeBlock();

    [GeneratedRegex("^(src|tests|docs|bench|demo|images|\\.ci)/[A-Za-z0-9_./-]+$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex RepositoryPath();

    // Two capitals: a plain word in backticks is a kind or a field of Kubernetes, not a type of ours.
    [GeneratedRegex("^I?[A-Z][a-z0-9]+([A-Z][a-z0-9]*)+(<.*>)?(\\.[A-Z][A-Za-z]+)?$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex TypeName();

    [GeneratedRegex(@"\b(class|record|struct|interface|enum|delegate \S+)( struct| class)? (?<name>[A-Z]\w+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Declaration();
}
