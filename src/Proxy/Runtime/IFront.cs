using Weft.Proxy.Transport;

namespace Weft.Proxy.Runtime;

/// <summary>Why a listener ends.</summary>
internal enum DrainReason
{
    /// <summary>Somebody waits for the process to be gone.</summary>
    ProcessEnds,
    /// <summary>The process goes on; so nobody waits.</summary>
    Removed,
    /// <summary>Another process accepts from the same sockets: what waits in them is for that.</summary>
    HandedOver,
}

internal static class Listeners
{
    /// <summary>For connections to come.</summary>
    public static void Keep(this Listener[] listeners, KeepAlive alive)
    {
        foreach (var listener in listeners)
            listener.Keep(alive);
    }

    public static void Stop(this Listener[] listeners, DrainReason reason)
    {
        foreach (var listener in listeners)
        {
            if (reason == DrainReason.HandedOver)
                listener.Dispose();
            else
                listener.TakeAndDispose();
        }
    }
}

/// <summary>A listener on one loop. Called on that loop.</summary>
internal interface IFront
{
    /// <summary>Open ones, with those that have been closed from this side and wait for the other's end.</summary>
    int Connections { get; }

    /// <summary>There are connections that are open from this side.</summary>
    bool IsBusy { get; }

    /// <summary>Accepts no more, and asks the connections to end; those that have not at the deadline are closed.</summary>
    void Drain(long milliseconds, DrainReason reason);

    /// <summary>At once.</summary>
    void Close();
}
