using Cake.Core;
using Cake.Frosting;

namespace Build;

/// <summary>Folds each task's lines in the logs of GitHub Actions, Azure Pipelines and GitLab.</summary>
public sealed class LogGroups : FrostingTaskLifetime
{
    /// <inheritdoc/>
    public override void Setup(ICakeContext context, ITaskSetupContext info)
    {
        if (IsSet(context, "GITHUB_ACTIONS")) Console.WriteLine($"::group::{info.Task.Name}");
        else if (IsSet(context, "TF_BUILD")) Console.WriteLine($"##[group]{info.Task.Name}");
        else if (IsSet(context, "GITLAB_CI")) Console.WriteLine($"\e[0Ksection_start:{Now}:{info.Task.Name}\r\e[0K{info.Task.Name}");
    }

    /// <inheritdoc/>
    public override void Teardown(ICakeContext context, ITaskTeardownContext info)
    {
        if (IsSet(context, "GITHUB_ACTIONS")) Console.WriteLine("::endgroup::");
        else if (IsSet(context, "TF_BUILD")) Console.WriteLine("##[endgroup]");
        else if (IsSet(context, "GITLAB_CI")) Console.WriteLine($"\e[0Ksection_end:{Now}:{info.Task.Name}\r\e[0K");
    }

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private static bool IsSet(ICakeContext context, string variable) =>
        !string.IsNullOrEmpty(context.Environment.GetEnvironmentVariable(variable));
}
