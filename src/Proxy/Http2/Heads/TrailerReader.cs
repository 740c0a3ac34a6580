using Weft.Proxy.Http;
using Weft.Proxy.Http2.Hpack;

namespace Weft.Proxy.Http2.Heads;

/// <summary>Trailers (RFC 9113 section 8.1): no pseudo-headers, and nothing that frames or routes the message (RFC 9110 section 6.5.1).</summary>
internal sealed class TrailerReader(Http2Limits limits) : FieldReader(limits)
{
    public new void Start(HeaderList? trailers) => base.Start(trailers);

    public ReadOutcome Finish() => Outcome;

    protected override bool OnPseudo(FieldKind kind, ReadOnlySpan<byte> value) => false;

    protected override void OnRegular(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, KnownHeader known, bool neverIndexed)
    {
        if (known is KnownHeader.Host or KnownHeader.ContentLength or KnownHeader.Te)
            Refuse();
        else
            base.OnRegular(name, value, known, neverIndexed);
    }
}

/// <summary>For a block that nobody wants: only the table is kept right.</summary>
internal sealed class NoReader : FieldSink
{
    public override void OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, FieldInfo info, bool neverIndexed)
    {
    }
}
