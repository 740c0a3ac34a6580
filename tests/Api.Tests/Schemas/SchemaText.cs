using System.Text;
using Weft.Api.Schemas;

namespace Weft.Api.Tests.Schemas;

/// <summary>A schema as lines: one block for each named definition, one line for each member with all that merging and validation know of it.</summary>
internal sealed class SchemaText
{
    // Rendered once, in a file of their own: many kinds contain them.
    private static readonly string[] Shared = ["io.k8s.api.core.v1.PodTemplateSpec", "io.k8s.api.core.v1.PodSpec", "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"];

    private readonly StringBuilder _text = new();
    private readonly Queue<Schema> _queue = new();
    private readonly HashSet<string> _seen = [];

    public static string Of(Schema root, bool withShared = false)
    {
        var text = new SchemaText();
        if (!withShared)
            text._seen.UnionWith(Shared);
        text._queue.Enqueue(root);
        while (text._queue.TryDequeue(out var next))
            text.Block(next);
        return text._text.ToString();
    }

    private void Block(Schema schema)
    {
        _text.Append(schema.DefinitionName ?? "(unnamed)");
        if (schema.Kind is { } kind)
            _text.Append(" kind=").Append(kind.ApiVersion).Append('/').Append(kind.Kind);
        if (schema.MapType == MapType.Atomic)
            _text.Append(" atomic");
        if (schema.PreserveUnknownFields)
            _text.Append(" any-fields");
        _text.Append('\n');
        foreach (var (name, member) in schema.Properties.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            _text.Append("  ").Append(name).Append(schema.Required.Contains(name) ? "!" : "").Append(": ").Append(Type(member)).Append(Rules(member)).Append('\n');
        }
        _text.Append('\n');
    }

    private string Type(Schema schema)
    {
        if (schema.Items is { } items)
            return $"[{Type(items)}]";
        if (schema.AdditionalProperties is { } values)
            return $"{{{Type(values)}}}";
        if (schema.DefinitionName is { } name && schema.Properties.Count > 0)
        {
            if (_seen.Add(name))
                _queue.Enqueue(schema);
            return Short(name);
        }
        var type = schema.DefinitionName is { } scalar ? Short(scalar) : schema.Type.ToString().ToLowerInvariant();
        return schema.Format is null ? type : $"{type}({schema.Format})";
    }

    private static string Short(string definition) => definition[(definition.LastIndexOf('.') + 1)..];

    private static string Rules(Schema schema)
    {
        var rules = new List<string>();
        if (schema.ListType != ListType.Atomic)
            rules.Add(schema.ListType == ListType.Set ? "set" : $"map={string.Join(',', schema.ListMapKeys)}");
        if (schema.Type == SchemaType.Object && schema.MapType == MapType.Atomic)
            rules.Add("atomic");
        if (schema.PatchStrategy != PatchStrategy.Replace)
            rules.Add($"patch={schema.PatchStrategy.ToString().Replace(" ", "", StringComparison.Ordinal)}{(schema.PatchMergeKey is null ? "" : $":{schema.PatchMergeKey}")}");
        if (schema.Default is { } given)
            rules.Add($"default={given.ToJsonString()}");
        if (schema.Enum.Count > 0)
            rules.Add($"enum={string.Join('|', schema.Enum)}");
        if (schema.Immutable)
            rules.Add("immutable");
        if (schema.IntOrString)
            rules.Add("int-or-string");
        if (schema.PreserveUnknownFields)
            rules.Add("any-fields");
        return rules.Count == 0 ? "" : " " + string.Join(' ', rules);
    }
}
