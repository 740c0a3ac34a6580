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
    private readonly long _usualIdle;
    private readonly Action<TcpTunnel> _ended;
    private long _deadline = long.MaxValue;
    private bool _over;

    /// <param name="upstream">May still be connecting (<see cref="Connected"/>).</param>
    /// <param name="idleMilliseconds">Without a byte in either direction for so long it is closed, where its target does not say otherwise; 0: never.</param>
    /// <param name="ended">Called once.</param>
    public TcpTunnel(Connection client, Connection upstream, long idleMilliseconds, Action<TcpTunnel> ended, TcpTarget? target = null)
    {
        (_usualIdle, _ended, Target) = (idleMilliseconds, ended, target);
        _client = new(this, client) { To = upstream };
        _upstream = new(this, upstream) { To = client };
        client.Protocol = _client;
        upstream.Protocol = _upstream;
        Moved(client.Now);
    }

    /// <summary>Bytes from the client, and to it.</summary>
    public long Sent => _client.Bytes;

    public long Received => _upstream.Bytes;

    /// <summary>Why it ended, for the record: true when both sides came to their end.</summary>
    public bool IsWhole => _client.HasEnded && _upstream.HasEnded;

    public bool IsOver => _over;

    /// <summary>The connection to the endpoint did not come about, by its fault.</summary>
    public bool NeverConnected { get; set; }

    /// <summary>It was cut because it was as old as it may become.</summary>
    public bool IsTooOld { get; private set; }

    /// <summary>Where it goes; null: nowhere any more, which its target has heard.</summary>
    public TcpTarget? Target { get; set; }

    /// <summary>The client is read from now on, and the connection grows old.</summary>
    public void Connected()
    {
        if (Target is { MaxAgeMilliseconds: > 0 and var age })
            _deadline = _client.Own.Now + age;
        Moved(_client.Own.Now);
        _client.Own.ResumeReading();
    }

    /// <summary>Another connection, in place of one that was never made: nothing was sent to that.</summary>
    public void Replace(Connection upstream, TcpTarget target)
    {
        Target = target;
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

    // Both limits by the client's timer, which every byte moves: there is none beside it.
    private void Moved(long now)
    {
        var idle = Target?.IdleMilliseconds ?? _usualIdle;
        _client.Own.SetTimeout(Math.Min(_deadline, idle > 0 ? now + idle : long.MaxValue));
    }

    private void Late()
    {
        IsTooOld = _client.Own.Now >= _deadline;
        Close();
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
            tunnel.Target?.Series?.Pass(data.Length, toClient: this == tunnel._upstream);
            tunnel.Moved(own.Now);
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

        public void OnTimeout() => tunnel.Late();

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
