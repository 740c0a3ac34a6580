using System.Collections.Frozen;
using System.Globalization;

namespace Weft.ApiServer.Protobuf;

internal enum FieldShape { One, List, Map }

/// <param name="Name">Member in JSON; `!` for a message whose members stand in the object itself (an embedded struct).</param>
/// <param name="Type">string, text (a string that may be empty: absent is something else), bool, int, bytes, a special form (time, quantity, intstr, ...), or the name of a message.</param>
internal sealed record ProtoField(string Name, FieldShape Shape, string Type)
{
    internal bool IsInline => Name == "!";
}

/// <summary>
/// The field numbers of Kubernetes' protobuf form of the built-in kinds, from the published generated.proto files of k8s.io/api (1.32) and apimachinery.
/// fields.txt has a line for each message: its name, then `number:member:type`, `[]` before the type of a list and `{}` before the values of a map.
/// </summary>
internal sealed class FieldTable
{
    private readonly FrozenDictionary<string, FrozenDictionary<int, ProtoField>> _messages;

    private FieldTable(Dictionary<string, FrozenDictionary<int, ProtoField>> messages) => _messages = messages.ToFrozenDictionary();

    internal FrozenDictionary<int, ProtoField>? Find(string message) => _messages.GetValueOrDefault(message);

    internal static FieldTable Load()
    {
        using var stream = typeof(FieldTable).Assembly.GetManifestResourceStream("Weft.ApiServer.Protobuf.fields.txt")
            ?? throw new InvalidOperationException("fields.txt is not embedded");
        using var reader = new StreamReader(stream);
        var messages = new Dictionary<string, FrozenDictionary<int, ProtoField>>();
        while (reader.ReadLine() is { Length: > 0 } line)
        {
            var parts = line.Split(' ');
            messages[parts[0]] = parts.Skip(1).Where(p => p.Length > 0).Select(Parse).ToFrozenDictionary(f => f.Number, f => f.Field);
        }

        return new FieldTable(messages);
    }

    private static (int Number, ProtoField Field) Parse(string text)
    {
        var parts = text.Split(':');
        var type = parts[2];
        var shape = type.StartsWith("[]", StringComparison.Ordinal) ? FieldShape.List : type.StartsWith("{}", StringComparison.Ordinal) ? FieldShape.Map : FieldShape.One;
        return (int.Parse(parts[0], CultureInfo.InvariantCulture), new ProtoField(parts[1], shape, shape == FieldShape.One ? type : type[2..]));
    }
}
