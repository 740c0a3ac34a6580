namespace Weft.Control.Mesh.Jobs;

/// <summary>What is different between two lists of the same order, by reference: what stands at both ends of both is passed over, which is all but one element where one has changed.</summary>
internal readonly record struct ListChange<T>(IReadOnlyList<T> Gone, IReadOnlyList<T> Come) where T : class
{
    public static ListChange<T> Of(IReadOnlyList<T> before, IReadOnlyList<T> now)
    {
        if (ReferenceEquals(before, now))
            return new([], []);
        var (start, end) = (0, 0);
        var least = Math.Min(before.Count, now.Count);
        while (start < least && ReferenceEquals(before[start], now[start]))
            start++;
        while (end < least - start && ReferenceEquals(before[before.Count - 1 - end], now[now.Count - 1 - end]))
            end++;
        var (gone, come) = (Middle(before, start, end), Middle(now, start, end));
        if (gone.Count == 0 || come.Count == 0)
            return new(gone, come);
        var (were, are) = (new HashSet<T>(gone, ReferenceEqualityComparer.Instance), new HashSet<T>(come, ReferenceEqualityComparer.Instance));
        return new(gone.FindAll(value => !are.Contains(value)), come.FindAll(value => !were.Contains(value)));
    }

    private static List<T> Middle(IReadOnlyList<T> list, int start, int end)
    {
        var middle = new List<T>();
        for (var i = start; i < list.Count - end; i++)
            middle.Add(list[i]);
        return middle;
    }
}
