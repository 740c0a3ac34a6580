using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Storage;

namespace Weft.ApiServer.Registry;

/// <summary>What selectors look at in one stored object.</summary>
internal sealed record EntryFacts(FrozenDictionary<string, string> Labels, FrozenDictionary<string, string> Fields);

/// <summary>
/// The index of one resource: the facts of every entry that a selector has looked at, worked out once for all lists and watches. It hangs on the store's
/// own entry objects, so it needs no invalidation: a changed object is another entry, and the facts of a dropped entry are collected with it.
/// </summary>
internal sealed class FactIndex(ResourceInfo resource)
{
    private readonly ConditionalWeakTable<Entry, EntryFacts> _facts = [];

    public EntryFacts Of(Entry entry) => _facts.TryGetValue(entry, out var facts) ? facts : _facts.GetValue(entry, Read);

    private EntryFacts Read(Entry entry)
    {
        var json = Envelope.Read(entry.Value).Json;
        var (ns, name) = Keys.Split(resource, entry.Key);
        var fields = new Dictionary<string, string> { ["metadata.name"] = name };
        if (resource.Namespaced)
            fields["metadata.namespace"] = ns;

        if (resource.Strategy.SelectableFields.Count == 0)
            return new EntryFacts(ReadLabels(json.Span), fields.ToFrozenDictionary());

        var tree = (JsonObject)JsonNode.Parse(json.Span)!;
        foreach (var (path, read) in resource.Strategy.SelectableFields)
            fields[path] = read(tree);
        return new EntryFacts(ReadLabels(json.Span), fields.ToFrozenDictionary());
    }

    // Labels stand in metadata, which stands before spec: most of the object is never read.
    private static FrozenDictionary<string, string> ReadLabels(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        if (!EnterMember(ref reader, "metadata"u8) || !EnterMember(ref reader, "labels"u8))
            return FrozenDictionary<string, string>.Empty;

        var labels = new Dictionary<string, string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            labels[key] = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
        }
        return labels.ToFrozenDictionary();
    }

    private static bool EnterMember(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        if (reader.TokenType == JsonTokenType.None)
            reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals(name);
            reader.Read();
            if (found)
                return reader.TokenType == JsonTokenType.StartObject;
            reader.Skip();
        }
        return false;
    }
}
