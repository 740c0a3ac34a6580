using System.Runtime.CompilerServices;
using Weft.Api.Schemas;

namespace Weft.Api.Tests.Schemas;

/// <summary>What clients merge and validate by. To accept a change on purpose: run once with WEFT_ACCEPT_GOLDENS=1 and read the diff.</summary>
public sealed class SchemaGoldenTests
{
    private static readonly SchemaReader Reader = new();

    public static TheoryData<string> Kinds => [.. BuiltInKinds.All().Select(FileName), "meta.v1.ObjectMeta"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_kind_has_the_schema_of_its_golden(string name)
    {
        var actual = name == "meta.v1.ObjectMeta"
            ? SchemaText.Of(Reader.FromType(typeof(ObjectMeta)), withShared: true)
            : Render(BuiltInKinds.All().Single(kind => FileName(kind) == name));
        var file = Path.Combine(Folder(), name + ".txt");
        if (Environment.GetEnvironmentVariable("WEFT_ACCEPT_GOLDENS") == "1")
            File.WriteAllText(file, actual);
        Assert.True(File.Exists(file), $"{name} has no golden: run once with WEFT_ACCEPT_GOLDENS=1");
        Assert.Equal(File.ReadAllText(file), actual, ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void Every_golden_belongs_to_a_kind()
    {
        var known = Kinds.Select(row => row.Data).ToHashSet();
        Assert.All(Directory.GetFiles(Folder(), "*.txt"), file => Assert.Contains(Path.GetFileNameWithoutExtension(file), known));
    }

    private static string Render(KindInfo kind) => SchemaText.Of(Reader.FromType(kind.Type), withShared: kind.Kind.Kind == "Pod");

    private static string FileName(KindInfo kind) => $"{(kind.Kind.Group.Length == 0 ? "core" : kind.Kind.Group)}.{kind.Kind.Version}.{kind.Kind.Kind}";

    private static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "Golden");
}
