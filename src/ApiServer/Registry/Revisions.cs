using System.Globalization;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Registry;

/// <summary>`metadata.resourceVersion` is the store's revision in decimal; clients may only compare and return it.</summary>
internal static class Revisions
{
    public static string Text(long revision) => revision.ToString(CultureInfo.InvariantCulture);

    /// <summary>The revision of a request parameter or field, or null when it is absent or empty.</summary>
    public static long? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var revision))
            return revision;
        throw Statuses.BadRequest($"invalid resource version \"{text}\": it must be a value that the server gave");
    }
}
