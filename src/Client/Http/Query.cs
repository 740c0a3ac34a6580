using System.Globalization;
using System.Text;

namespace Weft.Client;

/// <summary>A query string, in the order in which it was filled; absent values are left out.</summary>
internal sealed class Query
{
    private readonly StringBuilder _text = new();

    public Query Add(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            _text.Append(_text.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        return this;
    }

    public Query Add(string name, long? value) => Add(name, value?.ToString(CultureInfo.InvariantCulture));

    public Query Add(string name, bool value) => value ? Add(name, "true") : this;

    public Query Add(WriteOptions options) => Add("fieldManager", options.FieldManager)
        .Add("force", options.Force)
        .Add("dryRun", options.DryRun ? "All" : null)
        .Add("fieldValidation", options.FieldValidation);

    public Query Add(ListOptions options) => Add("labelSelector", options.LabelSelector)
        .Add("fieldSelector", options.FieldSelector)
        .Add("limit", options.Limit)
        .Add("continue", options.Continue)
        .Add("resourceVersion", options.ResourceVersion)
        .Add("resourceVersionMatch", options.ResourceVersionMatch);

    public Query Add(WatchOptions options) => Add("watch", value: true)
        .Add("labelSelector", options.LabelSelector)
        .Add("fieldSelector", options.FieldSelector)
        .Add("resourceVersion", options.ResourceVersion)
        .Add("allowWatchBookmarks", options.Bookmarks)
        .Add("timeoutSeconds", options.Timeout is { } timeout ? (long)timeout.TotalSeconds : null);

    public override string ToString() => _text.ToString();
}
