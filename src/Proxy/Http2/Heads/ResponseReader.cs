using Weft.Proxy.Http;
using Weft.Proxy.Http2.Hpack;

namespace Weft.Proxy.Http2.Heads;

/// <summary>A response from its fields (RFC 9113 section 8.3.2).</summary>
internal sealed class ResponseReader(Http2Limits limits) : FieldReader(limits)
{
    private ResponseHead _head = null!;
    private bool _status;
    private long _length;

    public void Start(ResponseHead head)
    {
        head.Clear();
        base.Start(head.Headers);
        (_head, _status, _length) = (head, false, -1);
    }

    /// <param name="noBody">A response to HEAD.</param>
    public ReadOutcome Finish(bool end, bool noBody)
    {
        if (Outcome != ReadOutcome.Whole)
            return Outcome;
        // 101 has no meaning in HTTP/2 (section 8.6), and an informational head is never the last.
        if (!_status || _head.Status == 101 || (_head.IsInformational && end))
            return ReadOutcome.Malformed;
        noBody |= _head.Status == 304;
        if (_head.IsInformational || _head.Status == 204)
            _length = _head.Status == 204 ? 0 : -1; // neither has one (RFC 9110 section 8.6); what was said is dropped
        if (end && !noBody && _length > 0)
            return ReadOutcome.Malformed;
        _head.ContentLength = end && !noBody ? 0 : _length;
        return ReadOutcome.Whole;
    }

    protected override bool OnPseudo(FieldKind kind, ReadOnlySpan<byte> value)
    {
        if (kind != FieldKind.Status || _status || value.Length != 3 || !TryLength(value, out var status) || status is < 100 or > 599)
            return false;
        _status = true;
        _head.Status = (int)status;
        return true;
    }

    protected override void OnRegular(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, KnownHeader known, bool neverIndexed)
    {
        if (known != KnownHeader.ContentLength)
        {
            base.OnRegular(name, value, known, neverIndexed);
            return;
        }

        if (!TryLength(value, out var length) || (_length >= 0 && _length != length))
            Refuse();
        _length = length;
    }
}
