namespace Weft.Cli.Proxies.HotRestart;

/// <summary>Descriptors by name, open for as long as they are wanted: what lies behind them outlives every process that uses it. It knows of no more than that, as systemd's store of the same kind.</summary>
/// <param name="most">So many are kept; others are closed at once.</param>
internal sealed class DescriptorStore(int most = int.MaxValue) : IDisposable
{
    private readonly Dictionary<string, List<int>> _byName = [];
    private int _count;

    /// <summary>Takes what a process says, if it is about this store.</summary>
    /// <returns>False: it is not, and its descriptors are still the caller's.</returns>
    public bool Hear(ControlMessage message)
    {
        var (word, name) = WorkerOrders.Split(message.Text);
        switch (word)
        {
            case WorkerOrders.Hold:
                Release(name);
                Add(name, message.Descriptors);
                return true;
            case WorkerOrders.More:
                Add(name, message.Descriptors);
                return true;
            case WorkerOrders.Release when message.Descriptors.Count == 0:
                Release(name);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Shares all of it with a process.</summary>
    public void HandTo(ControlSocket link)
    {
        foreach (var (name, descriptors) in _byName)
        {
            foreach (var some in descriptors.Chunk(ControlSocket.MaxDescriptors))
                link.Send($"{WorkerOrders.Have} {name}", some);
        }
    }

    public void Dispose()
    {
        foreach (var name in _byName.Keys.ToArray())
            Release(name);
    }

    private void Add(string name, IReadOnlyList<int> descriptors)
    {
        var room = Math.Min(most - _count, descriptors.Count);
        foreach (var descriptor in descriptors.Skip(room))
            ControlSocket.CloseDescriptor(descriptor);
        if (room == 0)
            return; // a name alone is not kept either
        if (!_byName.TryGetValue(name, out var held))
            _byName.Add(name, held = []);
        held.AddRange(descriptors.Take(room));
        _count += room;
    }

    private void Release(string name)
    {
        if (!_byName.Remove(name, out var held))
            return;
        held.ForEach(ControlSocket.CloseDescriptor);
        _count -= held.Count;
    }
}
