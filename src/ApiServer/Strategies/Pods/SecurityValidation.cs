using Weft.Api;

namespace Weft.ApiServer.Strategies.Pods;

/// <summary>Security contexts of pods and containers.</summary>
internal static class SecurityValidation
{
    public static IEnumerable<FieldError> Pod(Field context)
    {
        foreach (var error in Ids(context).Concat(Id(context["fsGroup"])).Concat(context["supplementalGroups"].Each(Id)).Concat(Profiles(context)))
            yield return error;
        foreach (var error in Rules.Unique(context["sysctls"], "name"))
            yield return error;
        foreach (var sysctl in context["sysctls"].Items)
        {
            if (sysctl["name"].IsBlank)
                yield return sysctl["name"].Required();
            else if (sysctl["name"].Text is { } name && (name.Length > 253 || name.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('.' or '-' or '_' or '/'))))
                yield return sysctl["name"].Invalid("must be a kernel parameter: lower case letters, digits, '-' and '_', in parts divided by '.' or '/' (such as 'net.core.somaxconn')");
        }
    }

    public static IEnumerable<FieldError> Container(Field context)
    {
        foreach (var error in Ids(context).Concat(Profiles(context)))
            yield return error;
        if (context["allowPrivilegeEscalation"].Flag != false)
            yield break;
        if (context["privileged"].IsTrue)
            yield return context.Invalid("cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
        if (context["capabilities"]["add"].Items.Any(capability => capability.Text is "SYS_ADMIN" or "CAP_SYS_ADMIN"))
            yield return context.Invalid("cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
    }

    private static IEnumerable<FieldError> Ids(Field context) => Id(context["runAsUser"]).Concat(Id(context["runAsGroup"]));

    private static IEnumerable<FieldError> Id(Field id) => Rules.Between(id, 0, int.MaxValue);

    private static IEnumerable<FieldError> Profiles(Field context)
    {
        foreach (var profile in (Field[])[context["seccompProfile"], context["appArmorProfile"]])
        {
            var file = profile["localhostProfile"];
            if (profile["type"].Text == "Localhost")
            {
                if (file.TextOrEmpty.Length == 0)
                    yield return file.Required("must be set when the type is Localhost");
                foreach (var error in Rules.InnerPath(file))
                    yield return error;
            }
            else if (profile.Exists && file.TextOrEmpty.Length > 0)
                yield return file.Invalid("can only be set when the type is Localhost");
        }
    }
}
