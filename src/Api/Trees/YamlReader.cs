using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Weft.Api.Trees;

/// <summary>Builds trees from parser events. Depth and size are checked event by event, so nothing grows beyond its limit.</summary>
internal sealed class YamlReader(string text, TreeLimits limits)
{
    private readonly Parser _parser = new(new StringReader(text));
    private readonly FieldPath _path = new();

    // What each anchor of the current document stands for, and how many nodes it has.
    private readonly Dictionary<AnchorName, (JsonNode? Node, int Size)> _anchors = [];
    private List<string> _duplicates = [];
    private int _nodes;
    private int _aliased;

    public IReadOnlyList<ParsedTree> ReadAll()
    {
        var documents = new List<ParsedTree>();
        _parser.Consume<StreamStart>();
        while (!_parser.Accept<StreamEnd>(out _))
        {
            _parser.Consume<DocumentStart>();
            _anchors.Clear();
            _duplicates = [];
            var empty = _parser.Accept<Scalar>(out var scalar) && scalar.Value.Length == 0 && scalar.IsPlainImplicit;
            var root = Node();
            _parser.Consume<DocumentEnd>();
            if (!empty)
                documents.Add(new ParsedTree(root, _duplicates));
        }
        return documents;
    }

    private JsonNode? Node()
    {
        if (_parser.TryConsume<AnchorAlias>(out var alias))
            return Expand(alias);

        var start = _nodes;
        var head = _parser.Consume<NodeEvent>();
        if (++_nodes > limits.MaxNodes)
            throw At(head, $"more than {limits.MaxNodes} values in one file");

        JsonNode? node = head switch
        {
            Scalar scalar => Value(scalar),
            SequenceStart => Sequence(head),
            MappingStart => Mapping(head),
            _ => throw At(head, "unexpected YAML construct"),
        };
        // The anchor is known only after its node: an alias to a node that contains it does not exist, so no cycle can be written.
        if (!head.Anchor.IsEmpty)
            _anchors[head.Anchor] = (node, _nodes - start);
        return node;
    }

    private JsonNode? Expand(AnchorAlias alias)
    {
        if (!_anchors.TryGetValue(alias.Value, out var target))
            throw At(alias, $"the alias *{alias.Value} has no anchor before it");

        _aliased += target.Size;
        _nodes += target.Size;
        if (_aliased > limits.MaxAliasedNodes || _nodes > limits.MaxNodes)
            throw At(alias, $"aliases expand to more than {limits.MaxAliasedNodes} values");
        if (target.Node is not null && _path.Depth + TreeLimits.DepthOf(target.Node) > limits.MaxDepth)
            throw At(alias, $"nested deeper than {limits.MaxDepth} levels");
        return target.Node?.DeepClone();
    }

    private JsonArray Sequence(NodeEvent head)
    {
        Enter(head);
        var list = new JsonArray();
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            _path.Push(list.Count);
            list.Add(Node());
            _path.Pop();
        }
        return list;
    }

    private JsonObject Mapping(NodeEvent head)
    {
        Enter(head);
        var members = new JsonObject();
        // `<<` gives way to the mapping's own keys wherever it stands, so what it brings is remembered apart.
        HashSet<string>? merged = null;
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var isMerge = _parser.Accept<Scalar>(out var plain) && plain.IsPlainImplicit && plain.Style == ScalarStyle.Plain && plain.Value == "<<";
            var where = _parser.Current!;
            var key = Key();
            _path.Push(key);
            var value = Node();
            if (isMerge)
                Merge(members, value, merged ??= [], where);
            else
            {
                var fromMerge = merged is not null && merged.Remove(key);
                if (members.ContainsKey(key) && !fromMerge && _duplicates.Count < ParsedTree.MaxDuplicates && _path.ToString() is var path && !_duplicates.Contains(path))
                    _duplicates.Add(path);
                members[key] = value;
            }
            _path.Pop();
        }
        return members;
    }

    private static void Merge(JsonObject members, JsonNode? value, HashSet<string> merged, ParsingEvent where)
    {
        var sources = value is JsonArray list ? list.ToArray() : [value];
        foreach (var source in sources)
        {
            if (source is not JsonObject from)
                throw At(where, "the merge key << needs a mapping, or a list of mappings");
            foreach (var (name, member) in from)
            {
                if (members.ContainsKey(name))
                    continue;
                members[name] = member?.DeepClone();
                merged.Add(name);
            }
        }
    }

    private string Key()
    {
        if (!_parser.Accept<Scalar>(out _) && !_parser.Accept<AnchorAlias>(out _))
            throw At(_parser.Current!, "a mapping key must be a scalar");
        var current = _parser.Current!;
        if (current is Scalar raw && !(raw.IsPlainImplicit && raw.Style == ScalarStyle.Plain))
        {
            Node();
            return raw.Value;
        }
        // A key is always text in JSON: 80 becomes "80" and yes becomes "true", as in kubectl.
        return Node() switch
        {
            null => "null",
            JsonValue value when value.TryGetValue<string>(out var s) => s,
            JsonValue value => value.ToJsonString(),
            _ => throw At(current, "a mapping key must be a scalar"),
        };
    }

    private static JsonNode? Value(Scalar scalar)
    {
        var tag = scalar.Tag.IsEmpty ? "" : scalar.Tag.Value;
        switch (tag)
        {
            case "" when scalar.Style != ScalarStyle.Plain:
            case "!" or "tag:yaml.org,2002:str" or "tag:yaml.org,2002:timestamp":
                return JsonValue.Create(scalar.Value);
            case "tag:yaml.org,2002:binary":
                return JsonValue.Create(scalar.Value);
            case "" or "tag:yaml.org,2002:int" or "tag:yaml.org,2002:bool" or "tag:yaml.org,2002:float" or "tag:yaml.org,2002:null":
                var node = YamlScalars.Resolve(scalar.Value, out var problem);
                return problem is null ? node : throw At(scalar, problem);
            default:
                throw At(scalar, $"the tag {tag} is not supported");
        }
    }

    private void Enter(NodeEvent head)
    {
        if (_path.Depth >= limits.MaxDepth)
            throw At(head, $"nested deeper than {limits.MaxDepth} levels");
    }

    private static TreeException At(ParsingEvent at, string problem) => new(problem, at.Start.Line, at.Start.Column);
}
