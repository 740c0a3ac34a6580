using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies.ApiExtensions;
using Weft.ApiServer.Webhooks;

namespace Weft.ApiServer.Strategies.Admission;

/// <summary>Of both configurations of admission webhooks.</summary>
internal sealed class WebhookConfigurationStrategy(bool mutating) : DefaultStrategy
{
    // Kubernetes' limit and default, in seconds.
    private const int MaxTimeout = 30;
    private const int DefaultTimeout = 10;
    private const int HttpsPort = 443;

    public override bool Namespaced => false;
    public override bool HasStatus => false;

    public override void Default(JsonObject tree)
    {
        foreach (var webhook in tree.Objects("webhooks"))
        {
            webhook.Default("failurePolicy", "Fail");
            webhook.Default("matchPolicy", "Equivalent");
            webhook.Default("timeoutSeconds", DefaultTimeout);
            webhook.Ensure("namespaceSelector");
            webhook.Ensure("objectSelector");
            if (mutating)
                webhook.Default("reinvocationPolicy", "Never");
            webhook.Object("clientConfig").Object("service")?.Default("port", HttpsPort);
            foreach (var rule in webhook.Objects("rules"))
                rule.Default("scope", "*");
        }
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context) =>
        Rules.Unique(root["webhooks"], "name").Concat(root["webhooks"].Each(Webhook));

    private static IEnumerable<FieldError> Webhook(Field webhook)
    {
        var (name, reviews) = (webhook["name"], webhook["admissionReviewVersions"]);
        foreach (var error in Rules.Named(name, NameRules.DnsSubdomain))
            yield return error;
        if (name.TextOrEmpty.Length > 0 && name.TextOrEmpty.Split('.').Length < 3)
            yield return name.Invalid("should be a domain with at least three segments separated by dots");
        foreach (var error in WebhookClients.Validate(webhook["clientConfig"]))
            yield return error;
        if (webhook["timeoutSeconds"].Number is < 1 or > MaxTimeout)
            yield return webhook["timeoutSeconds"].Invalid($"the timeout value must be between 1 and {MaxTimeout} seconds");
        if (reviews.Count == 0)
            yield return reviews.Required("must specify one of v1, v1beta1");
        else if (reviews.Items.All(version => version.Text != "v1"))
            yield return reviews.Invalid("must include v1: the server speaks no other version of AdmissionReview");
        foreach (var error in AdmissionRuleChecks.Rules(webhook["rules"]).Concat(AdmissionRuleChecks.Selectors(webhook)).Concat(AdmissionRuleChecks.Conditions(webhook["matchConditions"])))
            yield return error;
    }
}
