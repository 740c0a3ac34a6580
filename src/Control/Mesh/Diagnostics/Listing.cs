using System.Globalization;

namespace Weft.Control.Mesh.Diagnostics;

/// <summary>What there is, for whoever has named something else. Such a list is another's, and stands in the status of each that is wrong: the first ones tell enough.</summary>
internal static class Listing
{
    private const int Most = 8;

    /// <summary>`a, b, c and 5 others`.</summary>
    public static string Of(IEnumerable<string> names)
    {
        var (first, others) = (new List<string>(Most), 0);
        foreach (var name in names)
        {
            if (first.Count < Most)
                first.Add(name);
            else
                others++;
        }

        return string.Join(", ", first) + (others == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" and {others} {(others == 1 ? "other" : "others")}"));
    }
}
