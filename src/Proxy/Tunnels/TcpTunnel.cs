using Weft.Proxy.Transport;

namespace Weft.Proxy.Tunnels;

/// <summary>
/// Two connections of one loop, joined: what comes from one goes to the other. An end is passed on as an end, so that half-closed connections work; a side that does not take what
/// comes stops the other from being read.
/// </summary>
internal sealed class TcpTunnel
{
    private readonly Side _client;
    private Side _upstream;
    private readonly long _idle;
    private readonly Action<TcpTunnel> _ended;
    private bool _over;

    /// <param name="upstream">May still be connecting (<see cref="Connected"/>).</param>
    /// <param name="idleMilliseconds">Without a byte in either direction for so long it is closed.</param>
    /// <param name="ended">Called once.</param>
    public TcpTunnel(Connection client, Connection upstream, long idleMilliseconds, Action<TcpTunnel> ended)
    {
        (_idle, _ended) = (idleMilliseconds, ended);
        _client = new(this, client) { To = upstream };
        _upstream = new(this, upstream) { To = client };
        client.Protocol = _client;
        upstream.Protocol = _upstream;
        client.SetTimeout(client.Now + idleMilliseconds);
    }

    /// <summary>Bytes from the client, and to it.</summary>
    public long Sent => _client.Bytes;

    public long Received => _upstream.Bytes;

    /// <summary>Why it ended, for the record: true when both sides came to their end.</summary>
    public bool IsWhole => _client.HasEnded && _upstream.HasEnded;

    public bool IsOver => _over;

    /// <summary>The connection to the endpoint did not come about, by its fault.</summary>
    public bool NeverConnected { get; set; }

    /// <summary>Where it goes; null: nowhere any more, which its target has heard.</summary>
    public TcpTarget? Target { get; set; }

    /// <summary>The client is read from now on.</summary>
    public void Connected() => _client.Own.ResumeReading();

    /// <summary>Another connection, in place of one that was never made: nothing was sent to that.</summary>
    public void Replace(Connection upstream)
    {
        _upstream = new(this, upstream) { To = _client.Own };
        upstream.Protocol = _upstream;
        _client.To = upstream;
        if (_client.HasEnded)
            upstream.ShutdownWriting();
    }

    public void Close()
    {
        if (_over)
            return;
        _over = true;
        _client.Own.Reset();
        _upstream.Own.Reset();
        _ended(this);
    }

    // Both directions have ended: what is still to be sent goes out first.
    private void Finish()
    {
        if (_over)
            return;
        _over = true;
        _client.Own.CloseGracefully(peerMaySend: false);
        _upstream.Own.CloseGracefully(peerMaySend: false);
        _ended(this);
    }

    private sealed class Side(TcpTunnel tunnel, Connection own) : IProtocol
    {
        public Connection Own => own;

        public required Connection To { get; set; }

        public long Bytes { get; private set; }

        public bool HasEnded { get; private set; }

        private Side Other => this == tunnel._client ? tunnel._upstream : tunnel._client;

        public int OnData(ReadOnlySpan<byte> data)
        {
            Bytes += data.Length;
            tunnel._client.Own.SetTimeout(own.Now + tunnel._idle);
            To.Write(data);
            if (To.IsBlocked)
                own.PauseReading();
            return data.Length;
        }

        public void OnEnd()
        {
            HasEnded = true;
            if (Other.HasEnded)
                tunnel.Finish();
            else
                To.ShutdownWriting();
        }

        public void OnWritable() => To.ResumeReading();

        public void OnTimeout() => tunnel.Close();

        public void OnClosed()
        {
            if (this != tunnel._client && this != tunnel._upstream)
                return; // another has taken its place
            if (tunnel._over)
                return;
            // A cut is passed on as a cut, after what came before it: nobody takes half an answer for a whole one.
            tunnel._over = true;
            To.ResetGracefully();
            tunnel._ended(tunnel);
        }
    }
}
