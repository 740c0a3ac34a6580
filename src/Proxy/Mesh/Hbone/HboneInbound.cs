using System.Net;
using System.Text;
using Weft.Proxy.Http;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.Hbone;

/// <summary>One request of a connection: a tunnel to the connection's pod, or a refusal.</summary>
internal sealed class HboneInbound(HboneServerConnection connection) : IServerStreamHandler
{
    private Tunnel? _tunnel;

    public void OnRequest(IServerStream stream, RequestHead head, bool end)
    {
        var status = Judge(head, out var source, out var destination);
        connection.ReturnHead(head);
        if (status == 200)
            status = Open(stream, source!, destination!);
        if (status == 200)
            return;
        connection.Server.Refused++;
        stream.SendHead(new ResponseHead { Status = status, ContentLength = 0 }, end: true);
        if (status == 421)
            connection.Loop.Post(connection.Drain);
    }

    public void OnRequestData(ReadOnlySpan<byte> data, bool end) => _tunnel?.Take(data, end);

    public void OnRequestTrailers(HeaderList trailers) => _tunnel?.Take(default, end: true);

    public void OnResponseWritable() => _tunnel?.Writable();

    public void OnRequestReset(ResetReason reason) => _tunnel?.Lost();

    /// <summary>200, or why not: 405 no CONNECT, 400 no address, 403 not this pod or not this source, 421 the address is another pod's now, 503 a source that is not known yet.</summary>
    private int Judge(RequestHead head, out IPEndPoint? source, out IPEndPoint? destination)
    {
        (source, destination) = (null, null);
        if (!head.Method.SequenceEqual("CONNECT"u8) || !head.Upgrade.IsEmpty)
            return 405;
        // An address in its one spelling: names are not resolved here, and no other text may mean an address.
        var authority = Encoding.ASCII.GetString(head.Authority);
        if (!IPEndPoint.TryParse(authority, out destination) || destination.Port == 0 || destination.ToString() != authority)
            return 400;
        if (!connection.IsCurrent)
            return 421;
        if (!connection.LeadsTo(destination.Address))
            return 403;
        return JudgeSource(head, out source);
    }

    private int JudgeSource(RequestHead head, out IPEndPoint? source)
    {
        source = connection.Peer;
        var at = head.Headers.IndexOf(KnownHeader.Forwarded);
        if (at < 0)
            return 200;
        // A proxy speaks for the workloads of its identity and for nobody else's addresses.
        if (head.Headers.IndexOf(KnownHeader.Forwarded, at + 1) >= 0 || ForwardedFor.Read(head.Headers.Value(at)) is not { } address)
            return 400;
        source = new(address, 0);
        return connection.Server.Parts.Peers.IdentityOf(address) is not { } identity ? 503 : identity == connection.Identity ? 200 : 403;
    }

    private int Open(IServerStream stream, IPEndPoint source, IPEndPoint destination)
    {
        if (!connection.Server.TryBegin())
            return 429;
        var (near, other) = connection.Loop.Sockets.Pair();
        _tunnel = new Tunnel(connection.Server, new Connection(connection.Loop, near, null, connecting: false) { HangUpIsLoss = true }, stream);
        stream.SendHead(new ResponseHead { Status = 200 }, end: false);
        connection.Server.Parts.Inbound.Accept(other, source, destination, connection.Identity);
        return 200;
    }

    private sealed class Tunnel : HboneTunnel
    {
        private readonly HboneServer _server;
        private readonly IServerStream _stream;

        public Tunnel(HboneServer server, Connection near, IServerStream stream)
            : base(near)
        {
            (_server, _stream) = (server, stream);
            near.Protocol = this;
        }

        public void Take(ReadOnlySpan<byte> data, bool end) => FromFar(data, end);

        public void Writable() => FarWritable();

        public void Lost() => FarLost();

        protected override bool IsFarBlocked => _stream.IsBlocked;

        protected override void SendFar(ReadOnlySpan<byte> data, bool end) => _stream.SendData(data, end);

        protected override void PauseFar() => _stream.PauseRequest();

        protected override void ResumeFar() => _stream.ResumeRequest();

        protected override void ResetFar(ResetReason reason) => _stream.Reset(reason);

        protected override void OnOver() => _server.Ended();
    }
}
