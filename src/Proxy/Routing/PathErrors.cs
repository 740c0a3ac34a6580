namespace Weft.Proxy.Routing;

internal static class PathErrors
{
    /// <summary>For the answer to the client, and for who configures such a path.</summary>
    public static string Text(PathError error) => error switch
    {
        PathError.NotAbsolute => "the path does not begin with a slash",
        PathError.Control => "the path has a space or a control character",
        PathError.BadEscape => "a percent sign of the path is not followed by two hexadecimal digits",
        PathError.EscapedSlash => "the path has an escaped slash or backslash (%2F, %5C)",
        PathError.Backslash => "the path has a backslash",
        PathError.DoubleEscape => "the path is escaped twice",
        PathError.Overlong => "the path has an overlong form of UTF-8",
        PathError.AboveRoot => "the path leads above the root",
        PathError.DotSegmentWithParameter => "the path has a dot segment with a parameter",
        PathError.Fragment => "the path has a fragment",
        _ => throw new ArgumentOutOfRangeException(nameof(error)),
    };

    /// <summary>For <see cref="Filters.ExchangeContext.Detail"/>.</summary>
    public static string Detail(PathError error) => error switch
    {
        PathError.NotAbsolute => "path_not_absolute",
        PathError.Control => "path_control_character",
        PathError.BadEscape => "path_bad_escape",
        PathError.EscapedSlash => "path_escaped_slash",
        PathError.Backslash => "path_backslash",
        PathError.DoubleEscape => "path_escaped_twice",
        PathError.Overlong => "path_overlong_utf8",
        PathError.AboveRoot => "path_above_root",
        PathError.DotSegmentWithParameter => "path_dot_segment_parameter",
        PathError.Fragment => "path_fragment",
        _ => throw new ArgumentOutOfRangeException(nameof(error)),
    };
}
