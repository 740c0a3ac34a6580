using System.Text;
using Weft.Proxy.Http;

namespace Weft.Proxy.Tests.Http2.Support;

/// <summary>What a request to an upstream brings back.</summary>
internal sealed class RecordedResponse : IClientStreamHandler
{
    private readonly StringBuilder _body = new();

    public List<int> Statuses { get; } = [];

    public long ContentLength { get; private set; } = -2;

    public List<string> Fields { get; private set; } = [];

    public string Body => _body.ToString();

    public long Bytes { get; private set; }

    public List<string> Trailers { get; private set; } = [];

    public bool Ended { get; private set; }

    public ResetReason? Reset { get; private set; }

    public int Writable { get; private set; }

    public Action? WhenWritable { get; set; }

    public void OnResponse(ResponseHead head, bool end)
    {
        Statuses.Add(head.Status);
        (ContentLength, Ended) = (head.ContentLength, end);
        Fields = RecordedRequest.Fields(head.Headers);
    }

    public void OnResponseData(ReadOnlySpan<byte> data, bool end)
    {
        Assert.False(Ended);
        Assert.Null(Reset);
        _body.Append(Encoding.Latin1.GetString(data));
        Bytes += data.Length;
        Ended = end;
    }

    public void OnResponseTrailers(HeaderList trailers)
    {
        Assert.False(Ended);
        (Trailers, Ended) = (RecordedRequest.Fields(trailers), true);
    }

    public void OnRequestWritable()
    {
        Writable++;
        WhenWritable?.Invoke();
    }

    public void OnResponseReset(ResetReason reason)
    {
        Assert.Null(Reset);
        Assert.False(Ended);
        Reset = reason;
    }

    public static RequestHead Request(string method = "GET", string target = "/", long length = 0, string upgrade = "", params (string Name, string Value)[] fields)
    {
        var head = new RequestHead { Method = Encoding.ASCII.GetBytes(method), Target = Encoding.ASCII.GetBytes(target), Authority = "a.test"u8, Scheme = "http"u8, ContentLength = length, Upgrade = Encoding.ASCII.GetBytes(upgrade) };
        foreach (var (name, value) in fields)
            head.Headers.Add(Encoding.Latin1.GetBytes(name), Encoding.Latin1.GetBytes(value));
        return head;
    }
}
