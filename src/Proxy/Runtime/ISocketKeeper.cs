namespace Weft.Proxy.Runtime;

/// <summary>Who keeps the sockets of listeners beyond the life of this process, so that what comes between two processes waits and is not refused.</summary>
public interface ISocketKeeper
{
    /// <summary>What a process before this one had by this name: descriptors, the caller's from here on. Empty: nothing.</summary>
    IReadOnlyList<int> Take(string name);

    /// <summary>What was taken is not used after all: it waits to be taken again. The descriptors are the keeper's from here on.</summary>
    void GiveBack(string name, IReadOnlyList<int> descriptors);

    /// <summary>Shares these from now on; those that had the name before are given up.</summary>
    void Keep(string name, IReadOnlyList<int> descriptors);

    /// <summary>Nobody is to accept from these any more.</summary>
    void Release(string name);
}
