using Weft.Proxy.Http;
using Weft.Proxy.Http2.Hpack;

namespace Weft.Proxy.Http2.Heads;

internal enum ReadOutcome
{
    Whole,
    /// <summary>A stream error PROTOCOL_ERROR (RFC 9113 section 8.1.1).</summary>
    Malformed,
    TooLarge,
}

/// <summary>What heads and trailers have in common. The first fault decides, and nothing is stored after it; the block is decoded to its end for the table's sake.</summary>
internal abstract class FieldReader(Http2Limits limits) : FieldSink
{
    private bool _regularSeen;
    private int _count;
    private long _size;

    protected HeaderList? Fields { get; set; }

    protected ReadOutcome Outcome { get; private set; }

    public sealed override void OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, FieldInfo info, bool neverIndexed)
    {
        _size += name.Length + value.Length + DynamicTable.EntryOverhead;
        _count++;
        if (Outcome == ReadOutcome.Malformed)
            return;
        if (info.Kind == FieldKind.Invalid || !info.IsValueValid)
        {
            Refuse();
        }
        else if (_size > limits.MaxHeaderListSize || _count > limits.MaxHeaderCount)
        {
            Outcome = ReadOutcome.TooLarge;
        }
        else if (info.Kind == FieldKind.Regular)
        {
            _regularSeen = true;
            OnRegular(name, value, info.Known, neverIndexed);
        }
        else if (_regularSeen || !OnPseudo(info.Kind, value))
        {
            Refuse(); // section 8.3: pseudo-headers come first, once, and only those of this kind of message
        }
    }

    protected void Start(HeaderList? fields)
    {
        (_regularSeen, _count, _size, Outcome) = (false, 0, 0, ReadOutcome.Whole);
        Fields = fields;
    }

    protected void Refuse() => Outcome = ReadOutcome.Malformed;

    protected abstract bool OnPseudo(FieldKind kind, ReadOnlySpan<byte> value);

    protected virtual void OnRegular(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, KnownHeader known, bool neverIndexed)
    {
        if (IsConnectionSpecific(known) || (known == KnownHeader.Te && !Ascii.Is(value, "trailers"u8)))
            Refuse();
        else
            Fields!.AddKnown(name, value, known, neverIndexed);
    }

    /// <summary>RFC 9113 section 8.2.2.</summary>
    public static bool IsConnectionSpecific(KnownHeader known) =>
        known is KnownHeader.Connection or KnownHeader.ProxyConnection or KnownHeader.KeepAlive or KnownHeader.TransferEncoding or KnownHeader.Upgrade;

    /// <summary>Digits alone (RFC 9110 section 8.6). 18 of them are more than any body.</summary>
    protected static bool TryLength(ReadOnlySpan<byte> text, out long length)
    {
        length = 0;
        if (text.IsEmpty || text.Length > 18)
            return false;
        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9')
                return false;
            length = (length * 10) + digit - '0';
        }

        return true;
    }
}
