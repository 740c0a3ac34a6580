using Weft.Proxy.Http2;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Tests.Http2.Support;

/// <summary>A server connection of ours whose client is the test.</summary>
internal sealed class ServerSide
{
    public ServerSide(Exchanges? exchanges = null, Http2Limits? limits = null, bool preface = true, int maxRequests = 0)
    {
        var buffers = new BufferPool();
        Exchanges = exchanges ?? new();
        Transport = new(buffers);
        Connection = new(Transport, Exchanges, new(limits ?? new(), "http") { MaxRequests = maxRequests }, new(buffers));
        Transport.Protocol = Connection;
        Connection.Start();
        if (preface)
            Send(Frame.ClientPreface, Frame.Raw(4, 1, 0));
    }

    public Exchanges Exchanges { get; }

    public MemoryTransport Transport { get; }

    public Http2ServerConnection Connection { get; }

    public Transcript Sent { get; } = new();

    public void Send(params byte[][] frames)
    {
        foreach (var frame in frames)
            Transport.Feed(frame);
        Take();
    }

    public void Take()
    {
        while (!Transport.Output.IsEmpty)
            Sent.Add(Transport.TakeOutput());
    }
}

/// <summary>A client connection of ours whose server is the test.</summary>
internal sealed class ClientSide : IHttp2Pool
{
    public ClientSide(Http2Limits? limits = null, bool preface = true)
    {
        var buffers = new BufferPool();
        Transport = new(buffers);
        Connection = new(Transport, this, limits ?? new(), new(buffers));
        Transport.Protocol = Connection;
        Connection.Start();
        if (preface)
            Send(Frame.Settings((8, 1)), Frame.Raw(4, 1, 0));
    }

    public MemoryTransport Transport { get; }

    public Http2ClientConnection Connection { get; }

    public Transcript Sent { get; } = new();

    public int Done { get; private set; }

    public void Send(params byte[][] frames)
    {
        foreach (var frame in frames)
            Transport.Feed(frame);
        Take();
    }

    public void Take()
    {
        while (!Transport.Output.IsEmpty)
            Sent.Add(Transport.TakeOutput());
    }

    public (Weft.Proxy.Http.IClientStream Stream, RecordedResponse Response) Request(Weft.Proxy.Http.RequestHead head, bool end = true)
    {
        var response = new RecordedResponse();
        var stream = Connection.OpenStream(response);
        stream.SendHead(head, end);
        Take();
        return (stream, response);
    }

    public void OnCapacity(Http2ClientConnection connection)
    {
    }

    public void OnDone(Http2ClientConnection connection) => Done++;
}
