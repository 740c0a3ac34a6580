namespace Weft.Proxy.Runtime;

/// <summary>A listener on one loop. Called on that loop.</summary>
internal interface IFront
{
    int Connections { get; }

    /// <summary>Accepts no more, and asks the connections to end; those that have not at the deadline are closed.</summary>
    void Drain(long milliseconds);

    /// <summary>At once.</summary>
    void Close();
}
