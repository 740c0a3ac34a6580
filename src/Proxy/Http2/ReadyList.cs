namespace Weft.Proxy.Http2;

/// <summary>Streams that could send, in the order of their turns. The links are in the streams.</summary>
internal sealed class ReadyList
{
    private Http2Stream? _first;
    private Http2Stream? _last;

    public bool IsEmpty => _first is null;

    public Http2Stream First => _first!;

    public void Append(Http2Stream stream)
    {
        if (stream.IsReady)
            return;
        stream.IsReady = true;
        (stream.ReadyBefore, stream.ReadyAfter) = (_last, null);
        if (_last is null)
            _first = stream;
        else
            _last.ReadyAfter = stream;
        _last = stream;
    }

    public void Remove(Http2Stream stream)
    {
        if (!stream.IsReady)
            return;
        stream.IsReady = false;
        if (stream.ReadyBefore is null)
            _first = stream.ReadyAfter;
        else
            stream.ReadyBefore.ReadyAfter = stream.ReadyAfter;
        if (stream.ReadyAfter is null)
            _last = stream.ReadyBefore;
        else
            stream.ReadyAfter.ReadyBefore = stream.ReadyBefore;
        (stream.ReadyBefore, stream.ReadyAfter) = (null, null);
    }
}
