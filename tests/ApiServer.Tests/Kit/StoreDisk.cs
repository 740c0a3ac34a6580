using Weft.Storage;

namespace Weft.ApiServer.Tests.Kit;

/// <summary>The disk of a store, which a test fills.</summary>
internal sealed class StoreDisk : IFailPoints
{
    public const string Problem = "the disk of the store is full";

    private volatile bool _isFull;

    public void Fill() => _isFull = true;

    public void MakeRoom() => _isFull = false;

    public void Hit(FailPoint point)
    {
        if (_isFull && point == FailPoint.BeforeCommit)
            throw new DiskFullException(Problem);
    }
}
