using System.Net;
using System.Text;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Http;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.Hbone;

/// <summary>
/// One tunnel of the client's side. Nothing is read of the near end before the tunnel stands, so until then it can be tried again without harm: the destination has
/// not had a byte.
/// </summary>
internal sealed class HboneOutbound(HboneClient client, Connection near, WorkloadAccount account, IPAddress? source, IPEndPoint destination, string expectedIdentity)
    : HboneTunnel(near), IClientStreamHandler
{
    private const int MaxRefusals = 3;
    private const long FirstPause = 50;

    private LoopTimer? _timer;
    private IClientStream? _stream;
    private bool _stands, _pauses;
    private int _refusals, _attempts;
    private long _until = long.MaxValue;

    public WorkloadAccount Account => account;

    public IPEndPoint Destination => destination;

    public string ExpectedIdentity => expectedIdentity;

    protected override bool IsFarBlocked => _stream!.IsBlocked;

    public void Start()
    {
        Near.PauseReading();
        Near.Protocol = this;
        _timer = new(client.Loop.Timers, OnTimer);
        Open();
    }

    public void Open()
    {
        if (IsOver)
            return;
        if (client.PoolOf(this) is not { } pool)
        {
            _timer!.Set(client.Loop.Now + client.Settings.IdentityMilliseconds);
            return;
        }

        _timer!.Cancel();
        _stream = null;
        if (pool.Open(this) is not { } stream)
        {
            FarLost();
            return;
        }

        _stream = stream;
        var head = client.Head;
        head.Clear();
        head.Method = "CONNECT"u8;
        head.Authority = Encoding.ASCII.GetBytes(destination.ToString());
        if (source is not null)
            head.Headers.Add("forwarded"u8, ForwardedFor.Write(source));
        stream.SendHead(head, end: false);
    }

    public void OnResponse(ResponseHead head, bool end)
    {
        if (head.IsInformational)
            return;
        if (head.Status is >= 200 and < 300)
        {
            _stands = true;
            _timer!.Dispose();
            Near.ResumeReading();
            if (end)
                FromFar(default, end: true);
            return;
        }

        _stream!.Reset(ResetReason.Cancelled);
        // 421: another pod has the address by now, and the connection is of the one before. 503: the destination's proxy does not know the source yet.
        if (head.Status is 421 or 503)
            TryLater();
        else
            FarLost();
    }

    public void OnResponseData(ReadOnlySpan<byte> data, bool end) => FromFar(data, end);

    public void OnResponseTrailers(HeaderList trailers) => FromFar(default, end: true);

    public void OnRequestWritable() => FarWritable();

    public void OnResponseReset(ResetReason reason)
    {
        if (_stands || IsOver)
            FarLost();
        else if (reason == ResetReason.ConnectFailed)
            TryLater();
        else if (++_refusals <= MaxRefusals)
            client.Loop.Post(Open); // a connection that was being closed; the pool gives another
        else
            FarLost();
    }

    protected override void SendFar(ReadOnlySpan<byte> data, bool end) => _stream!.SendData(data, end);

    protected override void PauseFar() => _stream!.PauseResponse();

    protected override void ResumeFar() => _stream?.ResumeResponse();

    protected override void ResetFar(ResetReason reason) => _stream?.Reset(reason);

    protected override void OnOver()
    {
        _timer?.Dispose();
        client.Ended(this);
    }

    private void TryLater()
    {
        var now = client.Loop.Now;
        if (_until == long.MaxValue)
            _until = now + client.Settings.RetryMilliseconds;
        var next = now + (FirstPause << Math.Min(_attempts++, 4));
        if (next >= _until)
        {
            FarLost();
            return;
        }

        _pauses = true;
        _timer!.Set(next);
    }

    private void OnTimer()
    {
        if (_pauses)
        {
            _pauses = false;
            Open();
            return;
        }

        // No certificate came.
        client.StopWaiting(this);
        FarLost();
    }
}
