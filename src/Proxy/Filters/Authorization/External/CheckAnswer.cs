using System.Text;
using Weft.Proxy.Configuration.Validation;
using Weft.Proxy.Protobuf;

namespace Weft.Proxy.Filters.Authorization.External;

/// <param name="Name">In lower case.</param>
/// <param name="Append">Beside fields of that name; otherwise in their place.</param>
internal sealed record CheckField(byte[] Name, byte[] Value, bool Append);

/// <summary>
/// The answer (envoy/service/auth/v3/external_auth.proto), read whole or not at all: an authorizer whose word is understood in part may have refused in the other. Dynamic metadata is passed over, as
/// nothing here uses it.
/// </summary>
internal sealed class CheckAnswer
{
    private readonly List<CheckField> _fields = [], _responseFields = [];
    private readonly List<byte[]> _removed = [];
    private bool _damaged, _hasStatus, _hasOk, _hasDenied;
    private int _code;

    public bool Allowed { get; private set; }

    /// <summary>Of a refusal.</summary>
    public int Status { get; private set; } = 403;

    /// <summary>Of a refusal.</summary>
    public byte[] Body { get; private set; } = [];

    /// <summary>For the endpoint where it lets pass, for the client where it refuses.</summary>
    public IReadOnlyList<CheckField> Fields => _fields;

    /// <summary>For the client where it lets pass.</summary>
    public IReadOnlyList<CheckField> ResponseFields => _responseFields;

    public IReadOnlyList<byte[]> Removed => _removed;

    /// <summary>Null: it cannot be read, or asks for what is not done here.</summary>
    public static CheckAnswer? Read(ReadOnlyMemory<byte> message)
    {
        var answer = new CheckAnswer();
        answer.ReadAll(message.Span);
        if (answer._damaged || (answer._hasOk && answer._hasDenied))
            return null;
        // An empty message would be "OK" by the defaults of Protocol Buffers: whoever lets pass must have said something.
        if (answer._code == 0 && !answer._hasStatus && !answer._hasOk && !answer._hasDenied)
            return null;
        answer.Allowed = answer._code == 0 && !answer._hasDenied;
        // What frames a message is this proxy's: an authorizer that lets pass with such a field wants what cannot be had; a refusal is one without it, too.
        if (answer.Allowed && !answer._fields.Concat(answer._responseFields).All(field => MayBe(field.Name, field.Value)))
            return null;
        answer._fields.RemoveAll(field => !MayBe(field.Name, field.Value));
        return answer;
    }

    private void ReadAll(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    _hasStatus = true;
                    _code = (int)Number(reader.Bytes, 1);
                    break;
                case 2:
                    _hasDenied = true;
                    Denied(reader.Bytes);
                    break;
                case 3:
                    _hasOk = true;
                    Ok(reader.Bytes);
                    break;
            }
        }

        _damaged |= reader.IsDamaged;
    }

    private void Denied(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    Status = Number(reader.Bytes, 1) is >= 200 and <= 599 and var status ? (int)status : 403;
                    break;
                case 2:
                    Field(reader.Bytes, _fields, appends: false);
                    break;
                case 3:
                    Body = reader.Bytes.ToArray();
                    break;
            }
        }

        _damaged |= reader.IsDamaged;
    }

    private void Ok(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 2:
                    Field(reader.Bytes, _fields, appends: false);
                    break;
                case 5:
                    var name = Encoding.ASCII.GetBytes(Encoding.Latin1.GetString(reader.Bytes).ToLowerInvariant());
                    _damaged |= !MayBe(name, []);
                    _removed.Add(name);
                    break;
                case 6:
                    Field(reader.Bytes, _responseFields, appends: true);
                    break;
                case 7 or 8:
                    // Changes of the query, which are not done here.
                    _damaged = true;
                    break;
            }
        }

        _damaged |= reader.IsDamaged;
    }

    /// <summary>HeaderValueOption.</summary>
    /// <param name="appends">Where it does not say.</param>
    private void Field(ReadOnlySpan<byte> message, List<CheckField> to, bool appends)
    {
        var (name, value, append) = (Array.Empty<byte>(), Array.Empty<byte>(), appends);
        var action = -1;
        bool? said = null;
        var reader = new ProtobufReader(message);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    var pair = new ProtobufReader(reader.Bytes);
                    while (pair.Read())
                    {
                        if (pair.Field == 1)
                            name = Encoding.ASCII.GetBytes(Encoding.Latin1.GetString(pair.Bytes).ToLowerInvariant());
                        else if (pair.Field is 2 or 3 && !pair.Bytes.IsEmpty)
                            value = pair.Bytes.ToArray();
                    }

                    _damaged |= pair.IsDamaged;
                    break;
                case 2:
                    said = Number(reader.Bytes, 1) != 0;
                    break;
                case 3:
                    action = (int)reader.Number;
                    break;
            }
        }

        _damaged |= reader.IsDamaged;
        // APPEND_IF_EXISTS_OR_ADD is 0 and the default, which is not written; OVERWRITE_IF_EXISTS_OR_ADD is 2. The others depend on what is there, and are not done here.
        if (action is not (-1 or 0 or 2))
            _damaged = true;
        append = said ?? (action < 0 ? appends : action == 0);
        to.Add(new CheckField(name, value, append));
    }

    private ulong Number(ReadOnlySpan<byte> message, int field)
    {
        ulong number = 0;
        var reader = new ProtobufReader(message);
        while (reader.Read())
        {
            if (reader.Field == field)
                number = reader.Number;
        }

        _damaged |= reader.IsDamaged;
        return number;
    }

    private static bool MayBe(byte[] name, byte[] value)
        => FilterValidator.IsOwnHeader(Encoding.ASCII.GetString(name)) && !name.AsSpan().SequenceEqual("host"u8) && FilterValidator.IsValue(Encoding.Latin1.GetString(value));
}
