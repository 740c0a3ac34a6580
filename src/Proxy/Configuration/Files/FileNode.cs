using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Weft.Proxy.Configuration.Files;

internal enum NodeKind { Scalar, Sequence, Mapping }

/// <summary>A node of the file with its line. What an alias names is the same node again, not a copy of it.</summary>
internal sealed class FileNode(NodeKind kind, long line)
{
    public NodeKind Kind => kind;

    public long Line => line;

    public string Value { get; private init; } = "";

    public List<FileNode> Items { get; } = [];

    public List<KeyValuePair<string, FileNode>> Fields { get; } = [];

    /// <summary>`null`, `~` or nothing, not quoted.</summary>
    public bool IsNull { get; private init; }

    public static FileNode Scalar(string value, long line) => new(NodeKind.Scalar, line) { Value = value };

    /// <summary>Null with an error where it is no YAML, or more of it than a configuration has.</summary>
    public static FileNode? Parse(string text, List<FileError> errors)
    {
        try
        {
            var parser = new Reader(new Parser(new StringReader(text)));
            return parser.Document();
        }
        catch (YamlException bad)
        {
            errors.Add(new("", bad.Start.Line, $"is not YAML: {bad.Message}"));
            return null;
        }
    }

    private sealed class Reader(IParser parser)
    {
        // Deeper or longer than any configuration that a person or a program has reason to write: 100,000 routes are about 500,000 nodes.
        private const int MaxDepth = 32, MaxNodes = 2_000_000;
        private readonly Dictionary<AnchorName, FileNode> _anchors = [];
        private int _nodes;

        public FileNode Document()
        {
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
                return new(NodeKind.Mapping, 1);
            parser.Consume<DocumentStart>();
            var root = Node(0);
            parser.Consume<DocumentEnd>();
            if (!parser.Accept<StreamEnd>(out _))
                throw new YamlException(parser.Current!.Start, parser.Current.End, "there is a second document; a configuration is one");
            return root;
        }

        private FileNode Node(int depth)
        {
            var at = parser.Current!;
            if (depth > MaxDepth || ++_nodes > MaxNodes)
                throw new YamlException(at.Start, at.End, $"more than {MaxDepth} levels or {MaxNodes} nodes");
            if (parser.TryConsume<AnchorAlias>(out var alias))
                return _anchors.TryGetValue(alias.Value, out var known) ? known : throw new YamlException(alias.Start, alias.End, $"no anchor '{alias.Value}' stands before");
            if (parser.TryConsume<Scalar>(out var scalar))
                return Anchored(scalar, new(NodeKind.Scalar, scalar.Start.Line) { Value = scalar.Value, IsNull = scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "null" or "~" });
            if (parser.TryConsume<SequenceStart>(out var sequence))
            {
                var list = new FileNode(NodeKind.Sequence, sequence.Start.Line);
                while (!parser.TryConsume<SequenceEnd>(out _))
                    list.Items.Add(Node(depth + 1));
                return Anchored(sequence, list);
            }

            var mapping = parser.Consume<MappingStart>();
            var map = new FileNode(NodeKind.Mapping, mapping.Start.Line);
            var names = new HashSet<string>();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                var key = parser.Consume<Scalar>();
                if (!names.Add(key.Value))
                    throw new YamlException(key.Start, key.End, $"'{key.Value}' stands twice");
                var value = Node(depth + 1);
                map.Fields.Add(new(key.Value, value));
            }

            return Anchored(mapping, map);
        }

        // After its content: a node cannot hold itself.
        private FileNode Anchored(NodeEvent start, FileNode node)
        {
            if (!start.Anchor.IsEmpty)
                _anchors[start.Anchor] = node;
            return node;
        }
    }
}
