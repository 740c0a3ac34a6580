using Weft.Proxy.Http;
using Weft.Proxy.Http2;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Tests.Http2.Support;

/// <summary>A client of ours and a server of ours, joined.</summary>
internal sealed class Pair : IHttp2Pool
{
    public Pair(IExchangeFactory exchanges, Http2Limits? clientLimits = null, Http2Limits? serverLimits = null, int high = 64 << 10)
    {
        var buffers = new BufferPool();
        var streams = new Http2Streams(buffers);
        (ClientTransport, ServerTransport) = (new(buffers) { High = high }, new(buffers) { High = high });
        Client = new(ClientTransport, this, clientLimits ?? new(), streams);
        Server = new(ServerTransport, exchanges, new(serverLimits ?? new(), "http"), streams);
        (ClientTransport.Protocol, ServerTransport.Protocol) = (Client, Server);
        Client.Start();
        Server.Start();
        Run();
    }

    public MemoryTransport ClientTransport { get; }

    public MemoryTransport ServerTransport { get; }

    public Http2ClientConnection Client { get; }

    public Http2ServerConnection Server { get; }

    /// <summary>Until neither has anything to say.</summary>
    public void Run()
    {
        while (Move(ClientTransport, ServerTransport, int.MaxValue) | Move(ServerTransport, ClientTransport, int.MaxValue))
        {
        }
    }

    /// <summary>A few bytes in both directions; false: there were none.</summary>
    public bool Step(Random random) =>
        Move(ClientTransport, ServerTransport, random.Next(1, 5000)) | Move(ServerTransport, ClientTransport, random.Next(1, 5000));

    private static bool Move(MemoryTransport from, MemoryTransport to, int most)
    {
        from.Settle();
        var length = Math.Min(from.Output.Length, most);
        if (length == 0)
            return false;
        to.Feed(from.Output.Span[..length]);
        from.Sent(length);
        return true;
    }

    public void OnCapacity(Http2ClientConnection connection)
    {
    }

    public void OnDone(Http2ClientConnection connection)
    {
    }
}
