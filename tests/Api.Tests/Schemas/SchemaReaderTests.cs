using Weft.Api.ApiExtensions;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Api.Schemas;

namespace Weft.Api.Tests.Schemas;

public sealed class SchemaReaderTests
{
    private readonly SchemaReader _reader = new();

    [Fact]
    public void A_type_that_contains_itself_can_be_walked()
    {
        var schema = _reader.FromType(typeof(JSONSchemaProps));
        var below = schema.Properties["properties"].AdditionalProperties!;
        Assert.Equal(schema.DefinitionName, below.DefinitionName);
        Assert.True(below.Properties.ContainsKey("x-kubernetes-list-type"));
        Assert.True(below.Properties["not"].Properties.ContainsKey("$ref"));
    }

    [Fact]
    public void Kinds_that_share_a_type_share_what_was_read()
    {
        var pod = _reader.FromType(typeof(Pod)).Properties["spec"];
        var template = _reader.FromType(typeof(Deployment)).Properties["spec"].Properties["template"].Properties["spec"];
        Assert.Same(pod.Properties, template.Properties);
    }

    [Fact]
    public void A_docstring_becomes_the_description()
    {
        var reader = new SchemaReader(new Descriptions(Path.Combine(AppContext.BaseDirectory, "Weft.Api.xml")));
        var pod = reader.FromType(typeof(Pod));
        Assert.Equal("Containers that run together on one node.", pod.Description);
        Assert.Equal("Name, identity, ownership and labels.", pod.Properties["metadata"].Description);
        Assert.Equal("Node the pod is bound to; set by the scheduler.", pod.Properties["spec"].Properties["nodeName"].Description);
    }

    [Fact]
    public void Every_member_of_every_kind_has_a_description()
    {
        var reader = new SchemaReader(new Descriptions(Path.Combine(AppContext.BaseDirectory, "Weft.Api.xml")));
        var missing = new List<string>();
        var seen = new HashSet<string>();
        foreach (var kind in BuiltInKinds.All())
            Collect(reader.FromType(kind.Type), seen, missing);
        Assert.Empty(missing);
    }

    [Fact]
    public void Without_the_documentation_file_there_are_no_descriptions()
    {
        var reader = new SchemaReader(new Descriptions(Path.Combine(AppContext.BaseDirectory, "no-such-file.xml")));
        Assert.Null(reader.FromType(typeof(Pod)).Description);
    }

    [Fact]
    public void A_member_of_a_foreign_type_is_refused() =>
        Assert.Throws<NotSupportedException>(() => _reader.FromType(typeof(Odd)).Properties);

    private sealed record Odd
    {
        public Uri? Address { get; init; }
    }

    private static void Collect(Schema schema, HashSet<string> seen, List<string> missing)
    {
        if (schema.DefinitionName is not null && !seen.Add(schema.DefinitionName))
            return;
        foreach (var (name, member) in schema.Properties)
        {
            if (member.Description is null)
                missing.Add($"{schema.DefinitionName}.{name}");
            for (var next = member; next is not null; next = next.Items ?? next.AdditionalProperties)
                Collect(next, seen, missing);
        }
    }
}
