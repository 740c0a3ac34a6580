using Weft.Proxy.Http;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.Hbone;

/// <summary>
/// Bytes between a pair's near end and a stream of HTTP/2, on one loop. A side that does not take what comes stops the other from being read: the near end by its
/// socket, the stream by its window. An end is passed on as an end, a cut as a cut.
/// </summary>
internal abstract class HboneTunnel(Connection near) : IProtocol
{
    // Whether the near end's other half has been closed as a whole, not only for writing, is looked at so often.
    private const long HangUpMilliseconds = 10_000;

    private bool _nearEnded, _farEnded;

    protected Connection Near => near;

    protected bool IsOver { get; private set; }

    public int OnData(ReadOnlySpan<byte> data)
    {
        SendFar(data, end: false);
        if (IsFarBlocked)
            near.PauseReading();
        return data.Length;
    }

    public void OnEnd()
    {
        _nearEnded = true;
        SendFar(default, end: true);
        if (!FinishIfDone())
            near.SetTimeout(near.Now + HangUpMilliseconds);
    }

    public void OnWritable() => ResumeFar();

    public void OnTimeout()
    {
        // Nobody is there to read what the far side still sends, and nobody will be.
        if (near.HasHungUp)
            Cut();
        else
            near.SetTimeout(near.Now + HangUpMilliseconds);
    }

    public void OnClosed()
    {
        if (IsOver)
            return;
        ResetFar(ResetReason.Cancelled);
        End();
    }

    /// <summary>Ends both sides at once.</summary>
    public void Cut()
    {
        if (IsOver)
            return;
        ResetFar(ResetReason.Cancelled);
        FarLost();
    }

    protected void FromFar(ReadOnlySpan<byte> data, bool end)
    {
        if (IsOver)
            return;
        if (!data.IsEmpty)
            near.Write(data);
        if (near.IsBlocked && !end)
            PauseFar();
        if (!end)
            return;
        _farEnded = true;
        near.ShutdownWriting();
        FinishIfDone();
    }

    protected void FarWritable() => near.ResumeReading();

    /// <summary>The far side is gone.</summary>
    protected void FarLost()
    {
        if (IsOver)
            return;
        near.Abort();
        End();
    }

    protected abstract void SendFar(ReadOnlySpan<byte> data, bool end);

    protected abstract bool IsFarBlocked { get; }

    protected abstract void PauseFar();

    protected abstract void ResumeFar();

    protected abstract void ResetFar(ResetReason reason);

    /// <summary>Called once.</summary>
    protected abstract void OnOver();

    private bool FinishIfDone()
    {
        if (!_nearEnded || !_farEnded || IsOver)
            return IsOver;
        near.CloseGracefully(peerMaySend: false);
        End();
        return true;
    }

    private void End()
    {
        IsOver = true;
        OnOver();
    }
}
