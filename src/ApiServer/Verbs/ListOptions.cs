using Weft.Api;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Verbs;

internal enum RevisionMatch { Unset, Exact, NotOlderThan }

/// <summary>The query of a list or watch, checked as Kubernetes checks it.</summary>
internal sealed record ListOptions
{
    public long? Revision { get; private init; }
    public RevisionMatch Match { get; private init; }
    public long Limit { get; private init; }
    public ContinueToken? Continue { get; private init; }
    public bool Bookmarks { get; private init; }
    public bool? SendInitialEvents { get; private init; }
    public long? TimeoutSeconds { get; private init; }

    public static ListOptions Read(QueryValues query, bool watch)
    {
        var match = query.Last("resourceVersionMatch");
        var revision = query.Last("resourceVersion");
        var continueText = query.Last("continue");
        var initial = query.OptionalFlag("sendInitialEvents");

        var errors = watch ? CheckWatch(match, continueText, initial) : CheckList(match, revision, continueText, initial);
        if (errors.Count > 0)
            throw Statuses.Invalid(MetaKinds.ListOptions, "", errors);
        if (continueText is not null && revision is not null and not "0")
            throw Statuses.BadRequest("specifying resource version is not allowed when using continue");

        var limit = query.Number("limit") ?? 0;
        if (limit < 0)
            throw Statuses.BadRequest("limit must not be negative");
        return new ListOptions
        {
            Revision = Revisions.Parse(revision),
            Match = match switch { "Exact" => RevisionMatch.Exact, "NotOlderThan" => RevisionMatch.NotOlderThan, _ => RevisionMatch.Unset },
            Limit = limit,
            Continue = continueText is null ? null : ContinueToken.Decode(continueText),
            Bookmarks = query.Flag("allowWatchBookmarks"),
            SendInitialEvents = initial,
            TimeoutSeconds = query.Number("timeoutSeconds"),
        };
    }

    private static List<FieldError> CheckList(string? match, string? revision, string? continueText, bool? initial)
    {
        var errors = new List<FieldError>();
        if (match is not null)
        {
            if (revision is null)
                errors.Add(FieldError.Forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"));
            if (continueText is not null)
                errors.Add(FieldError.Forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"));
            if (match is not ("Exact" or "NotOlderThan"))
                errors.Add(FieldError.NotSupported("resourceVersionMatch", $"\"{match}\"", ["Exact", "NotOlderThan"]));
            if (match == "Exact" && revision == "0")
                errors.Add(FieldError.Forbidden("resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
        }
        if (initial is not null)
            errors.Add(FieldError.Forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
        return errors;
    }

    private static List<FieldError> CheckWatch(string? match, string? continueText, bool? initial)
    {
        var errors = new List<FieldError>();
        if (initial is not null && match is null)
            errors.Add(FieldError.Forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
        else if (initial is not null && match != "NotOlderThan")
            errors.Add(FieldError.NotSupported("resourceVersionMatch", $"\"{match}\"", ["NotOlderThan"]));
        else if (initial is null && match is not null)
            errors.Add(FieldError.Forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
        if (initial is not null && continueText is not null)
            errors.Add(FieldError.Forbidden("continue", "continue is forbidden when sendInitialEvents is provided"));
        return errors;
    }
}
