using System.Globalization;
using Weft.Cli.Demo.Tour.Steps;

namespace Weft.Cli.Demo.Tour;

/// <summary>The tour of the demo: each step applies a manifest, sends requests, and tells what came of them. Exit code 1 when something was not as promised.</summary>
internal sealed class TourCommand(TourGuide guide, TimeProvider time, TextWriter output)
{
    internal async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var login = new Login(time);
        TourStep[] steps = [new CanaryStep(), new RetryStep(), new MutualTlsStep(), new PolicyStep(), new LoginStep(login), new FailoverStep(), new WhyStep()];
        var manifests = steps.Select(step => step.Manifest is null ? null : guide.Shop.Render(step.Manifest, ("ISSUER", Login.Issuer), ("JWKS", login.KeySet))).ToList();
        await guide.ForgetAsync(manifests.OfType<string>(), cancellationToken);

        var wrong = 0;
        foreach (var (number, (step, manifest)) in steps.Zip(manifests).Index())
        {
            var before = await step.BeforeAsync(guide, cancellationToken);
            var started = time.GetTimestamp();
            output.WriteLine();
            output.WriteLine($"{number + 1}. {step.Title}");
            if (before is not null)
                output.WriteLine($"     before   {before}");
            if (manifest is not null)
            {
                if (await guide.ApplyAsync(manifest, cancellationToken) is { } problem)
                {
                    wrong++;
                    output.WriteLine($"     WRONG    {problem}");
                    continue;
                }

                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"     applied  {manifest}, served by every proxy after {time.GetElapsedTime(started).TotalMilliseconds:0} ms"));
            }

            foreach (var finding in await step.TryAsync(guide, cancellationToken))
            {
                wrong += finding.IsSo ? 0 : 1;
                output.WriteLine($"     {(finding.IsSo ? "seen " : "WRONG")}    {finding.Seen}");
                if (finding.Command is not null)
                    output.WriteLine($"              {finding.Command}");
            }
        }

        output.WriteLine();
        output.WriteLine(wrong == 0 ? "Everything was as promised." : $"{wrong} of these were not as promised: `weft debug bundle` packs what a report of that needs.");
        return wrong == 0 ? 0 : 1;
    }
}
