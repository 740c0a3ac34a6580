namespace Weft.Proxy.Http2;

/// <summary>The open streams of a connection by their number. The chains go through the streams themselves: nothing is allocated for an entry.</summary>
internal sealed class StreamTable
{
    // Numbers of one side are two apart and given in order, so open ones lie evenly.
    private Http2Stream?[] _heads = new Http2Stream?[16];

    public int Count { get; private set; }

    public Http2Stream? Find(int id)
    {
        var stream = _heads[Slot(id)];
        while (stream is not null && stream.Id != id)
            stream = stream.NextInTable;
        return stream;
    }

    public void Add(Http2Stream stream)
    {
        if (Count > _heads.Length)
            Grow();
        Link(stream);
        Count++;
    }

    public void Remove(Http2Stream stream)
    {
        ref var head = ref _heads[Slot(stream.Id)];
        if (head == stream)
        {
            head = stream.NextInTable;
        }
        else
        {
            var before = head!;
            while (before.NextInTable != stream)
                before = before.NextInTable!;
            before.NextInTable = stream.NextInTable;
        }

        stream.NextInTable = null;
        Count--;
    }

    /// <summary>Any stream, above a number.</summary>
    public Http2Stream? AnyAbove(int id)
    {
        foreach (var head in _heads)
        {
            for (var stream = head; stream is not null; stream = stream.NextInTable)
            {
                if (stream.Id > id)
                    return stream;
            }
        }

        return null;
    }

    /// <returns>False: a window would pass 2^31-1 (RFC 9113 section 6.9.2).</returns>
    public bool ShiftSendWindows(long difference)
    {
        foreach (var head in _heads)
        {
            for (var stream = head; stream is not null; stream = stream.NextInTable)
            {
                stream.SendWindow += difference;
                if (stream.SendWindow > int.MaxValue)
                    return false;
                stream.Connection.MakeReady(stream);
            }
        }

        return true;
    }

    private int Slot(int id) => (id >> 1) & (_heads.Length - 1);

    private void Link(Http2Stream stream)
    {
        ref var head = ref _heads[Slot(stream.Id)];
        stream.NextInTable = head;
        head = stream;
    }

    private void Grow()
    {
        var old = _heads;
        _heads = new Http2Stream?[old.Length * 4];
        foreach (var head in old)
        {
            for (var stream = head; stream is not null;)
            {
                var next = stream.NextInTable;
                Link(stream);
                stream = next;
            }
        }
    }
}
