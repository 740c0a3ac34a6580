using System.Collections.Frozen;
using System.Globalization;
using Weft.Api;

namespace Weft.ApiServer.Http.Protobuf;

internal enum FieldForm { Text, Bytes, Whole, Flag, Message, Quantity, IntOrString, Time, MicroTime, Json, Texts }

internal sealed record MessageField(string Name, FieldForm Form, string Message)
{
    public bool Repeated { get; init; }
    public bool Map { get; init; }

    /// <summary>Its members belong to the parent (an embedded struct of the API's types).</summary>
    public bool Inline { get; init; }

    /// <summary>Zero and false are values; elsewhere they are how the wire form says "empty".</summary>
    public bool KeepsZero { get; init; }
}

/// <summary>Field numbers of the messages, read from the table that is part of the program.</summary>
internal sealed class MessageTable
{
    private readonly FrozenDictionary<string, FrozenDictionary<int, MessageField>> _messages;

    private MessageTable(Dictionary<string, Dictionary<int, MessageField>> messages) =>
        _messages = messages.ToFrozenDictionary(pair => pair.Key, pair => pair.Value.ToFrozenDictionary());

    public static MessageTable Load()
    {
        using var stream = typeof(MessageTable).Assembly.GetManifestResourceStream("Weft.ApiServer.Http.Protobuf.fields.txt")
            ?? throw new InvalidOperationException("the table of field numbers is missing from the program");
        using var reader = new StreamReader(stream);
        var messages = new Dictionary<string, Dictionary<int, MessageField>>();
        var current = new Dictionary<int, MessageField>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            if (line[0] != ' ')
            {
                messages[line] = current = [];
                continue;
            }
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            current[int.Parse(parts[0], CultureInfo.InvariantCulture)] = Field(parts[1], parts[2]);
        }
        return new MessageTable(messages);
    }

    /// <summary>The message of a kind, or null when the table has none.</summary>
    public string? MessageOf(string apiVersion, string kind)
    {
        if (GroupVersionKind.ParseApiVersion(apiVersion) is not var (group, version))
            return null;
        // Options kinds belong to every group.
        var name = kind == "DeleteOptions" ? "meta.v1.DeleteOptions" : $"{(group.Length == 0 ? "core" : group.Split('.')[0])}.{version}.{kind}";
        return _messages.ContainsKey(name) ? name : null;
    }

    public FrozenDictionary<int, MessageField> Fields(string message) => _messages[message];

    private static MessageField Field(string name, string type)
    {
        var mark = type[0];
        var bare = mark is '*' or '{' or '^' or '+' ? type[1..] : type;
        var form = bare switch
        {
            "string" => FieldForm.Text,
            "bytes" => FieldForm.Bytes,
            "int" => FieldForm.Whole,
            "bool" => FieldForm.Flag,
            "quantity" => FieldForm.Quantity,
            "intOrString" => FieldForm.IntOrString,
            "time" => FieldForm.Time,
            "microTime" => FieldForm.MicroTime,
            "json" => FieldForm.Json,
            "texts" => FieldForm.Texts,
            _ => FieldForm.Message,
        };
        return new MessageField(name, form, bare) { Repeated = mark == '*', Map = mark == '{', Inline = mark == '^', KeepsZero = mark == '+' };
    }
}
