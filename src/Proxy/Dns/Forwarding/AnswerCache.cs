namespace Weft.Proxy.Dns.Forwarding;

/// <param name="Name">Lower case.</param>
internal readonly record struct Question(string Name, ushort Type);

/// <summary>Answers of other servers, for as long as they may be given again. Bounded: what was asked least lately goes.</summary>
internal sealed class AnswerCache(TimeProvider time, int maxAnswers = AnswerCache.DefaultAnswers, int maxBytes = AnswerCache.DefaultBytes)
{
    /// <summary>More than the names that the pods of one node ask for; together at most some megabytes.</summary>
    public const int DefaultAnswers = 10_000, DefaultBytes = 8 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<Question, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = []; // the last was asked least lately
    private int _bytes;

    private sealed record Entry(Question Question, UpstreamAnswer Answer, long At);

    public int Count
    {
        get
        {
            lock (_gate)
                return _entries.Count;
        }
    }

    public UpstreamAnswer? Find(Question question, out TimeSpan age)
    {
        lock (_gate)
        {
            age = default;
            if (!_entries.TryGetValue(question, out var node))
                return null;
            age = time.GetElapsedTime(node.Value.At);
            if (age >= node.Value.Answer.Life)
            {
                Remove(node);
                return null;
            }

            if (node != _byUse.First)
            {
                _byUse.Remove(node);
                _byUse.AddFirst(node);
            }

            return node.Value.Answer;
        }
    }

    public void Add(Question question, UpstreamAnswer answer)
    {
        // One answer must not push out all the others.
        if (answer.Life <= TimeSpan.Zero || answer.Message.Length > maxBytes / 8)
            return;
        lock (_gate)
        {
            if (_entries.TryGetValue(question, out var old))
                Remove(old);
            _entries[question] = _byUse.AddFirst(new Entry(question, answer, time.GetTimestamp()));
            _bytes += answer.Message.Length;
            while (_byUse.Last is { } last && (_bytes > maxBytes || _entries.Count > maxAnswers))
                Remove(last);
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _entries.Clear();
            _byUse.Clear();
            _bytes = 0;
        }
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _entries.Remove(node.Value.Question);
        _byUse.Remove(node);
        _bytes -= node.Value.Answer.Message.Length;
    }
}
