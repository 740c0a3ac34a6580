using Weft.Api;

namespace Weft.ApiServer.Strategies.Rbac;

internal static class PolicyRuleValidation
{
    public static IEnumerable<FieldError> Validate(Field rule, bool namespaced)
    {
        if (rule["verbs"].IsBlank)
            yield return rule["verbs"].Required("verbs must contain at least one value");

        if (rule["nonResourceURLs"].Count > 0)
        {
            if (namespaced)
                yield return rule["nonResourceURLs"].Invalid("namespaced rules cannot apply to non-resource URLs");
            if (rule["apiGroups"].Count > 0 || rule["resources"].Count > 0 || rule["resourceNames"].Count > 0)
                yield return rule["nonResourceURLs"].Invalid("rules cannot apply to both regular resources and non-resource URLs");
            yield break;
        }
        if (rule["apiGroups"].Count == 0)
            yield return rule["apiGroups"].Required("resource rules must supply at least one api group");
        if (rule["resources"].Count == 0)
            yield return rule["resources"].Required("resource rules must supply at least one resource");
    }
}
