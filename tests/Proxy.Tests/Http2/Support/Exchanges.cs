using System.Text;
using Weft.Proxy.Http;

namespace Weft.Proxy.Tests.Http2.Support;

/// <summary>Notes what each request brings; a test decides what is answered.</summary>
internal sealed class Exchanges : IExchangeFactory
{
    public List<RecordedRequest> All { get; } = [];

    /// <summary>What every exchange does with its request.</summary>
    public Action<RecordedRequest> OnRequest { get; init; } = _ => { };

    public Action<RecordedRequest> OnEnd { get; init; } = _ => { };

    public int HeadsRented { get; private set; }

    public RequestHead RentHead()
    {
        HeadsRented++;
        return new();
    }

    public void ReturnHead(RequestHead head) => HeadsRented--;

    public IServerStreamHandler Begin()
    {
        var request = new RecordedRequest(this);
        All.Add(request);
        return request;
    }
}

internal sealed class RecordedRequest(Exchanges owner) : IServerStreamHandler
{
    private readonly StringBuilder _body = new();

    public IServerStream Stream { get; private set; } = null!;

    public RequestHead Head { get; private set; } = null!;

    public string Body => _body.ToString();

    public List<string> Trailers { get; private set; } = [];

    public bool Ended { get; private set; }

    public ResetReason? Reset { get; private set; }

    public int Writable { get; private set; }

    public Action? WhenWritable { get; set; }

    public void OnRequest(IServerStream stream, RequestHead head, bool end)
    {
        (Stream, Head, Ended) = (stream, head, end);
        owner.OnRequest(this);
        if (end)
            owner.OnEnd(this);
    }

    public void OnRequestData(ReadOnlySpan<byte> data, bool end)
    {
        Assert.False(Ended);
        Assert.Null(Reset);
        _body.Append(Encoding.Latin1.GetString(data));
        Ended = end;
        if (end)
            owner.OnEnd(this);
    }

    public void OnRequestTrailers(HeaderList trailers)
    {
        Assert.False(Ended);
        Ended = true;
        Trailers = Fields(trailers);
        owner.OnEnd(this);
    }

    public void OnResponseWritable()
    {
        Writable++;
        WhenWritable?.Invoke();
    }

    public void OnRequestReset(ResetReason reason)
    {
        Assert.Null(Reset);
        Reset = reason;
    }

    public void Respond(int status, string body = "", params (string, string)[] fields)
    {
        Stream.SendHead(Response(status, body.Length, fields), body.Length == 0);
        if (body.Length > 0)
            Stream.SendData(Encoding.Latin1.GetBytes(body), end: true);
    }

    public static ResponseHead Response(int status, long length = -1, params (string Name, string Value)[] fields)
    {
        var head = new ResponseHead { Status = status, ContentLength = length };
        foreach (var (name, value) in fields)
            head.Headers.Add(Encoding.Latin1.GetBytes(name), Encoding.Latin1.GetBytes(value));
        return head;
    }

    public static List<string> Fields(HeaderList list) =>
        [.. Enumerable.Range(0, list.Count).Select(i => $"{Encoding.Latin1.GetString(list.Name(i))}: {Encoding.Latin1.GetString(list.Value(i))}")];
}
