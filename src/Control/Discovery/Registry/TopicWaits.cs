namespace Weft.Control.Discovery.Registry;

/// <summary>Who waits for what. A topic that nobody waits for costs nothing, and a change looks at its own topics alone.</summary>
internal sealed class TopicWaits
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Topic> _topics = new(StringComparer.Ordinal);
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public Wait Join(string name)
    {
        lock (_gate)
        {
            if (!_topics.TryGetValue(name, out var topic))
                _topics[name] = topic = new(name);
            topic.Waiting++;
            _count++;
            return new(this, topic);
        }
    }

    public void Wake(IEnumerable<string> names)
    {
        var woken = new List<Topic>();
        lock (_gate)
        {
            foreach (var name in names)
            {
                if (_topics.Remove(name, out var topic))
                    woken.Add(topic);
            }
        }

        foreach (var topic in woken)
            topic.Changed.SetResult();
    }

    private void Leave(Topic topic)
    {
        lock (_gate)
        {
            _count--;
            if (--topic.Waiting == 0 && _topics.GetValueOrDefault(topic.Name) == topic)
                _topics.Remove(topic.Name);
        }
    }

    internal sealed class Topic(string name)
    {
        public string Name => name;

        public TaskCompletionSource Changed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Waiting { get; set; }
    }

    internal readonly struct Wait(TopicWaits waits, Topic topic) : IDisposable
    {
        public Task Task => topic.Changed.Task;

        public void Dispose() => waits.Leave(topic);
    }
}
