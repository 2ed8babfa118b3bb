using System.Text;
using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust;
using MeshTrust.Checks;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Reporting;
using MeshTrust.Settings;
using Spectre.Console;

namespace Cake.Frosting.MeshTrust;

/// <summary>Delivers a report: on screen in the configured format, and as files for pipelines.</summary>
internal sealed class ReportDelivery(StandardOutput output)
{
    /// <summary>The JUnit file in the artifacts directory. Prow expects this name pattern.</summary>
    public const string JUnitFile = "junit_meshtrust.xml";
    public const string JsonFile = "summary.json";
    public const string MarkdownFile = "summary.md";
    public const string HtmlFile = "report.html";
    public const string PreflightFile = "preflight.json";

    /// <summary>Shows the report, writes the four files and, in GitHub Actions, appends the step summary.</summary>
    /// <exception cref="MeshTrustException">
    /// Stage <see cref="Stage.Verification"/>: the findings, and after them MT1001 to MT1004 for each file that cannot be written.
    /// </exception>
    public void Deliver(ICakeContext context, TrustReport report, RunSpec run)
    {
        // The XML classes and the code of the page take a while to load: meanwhile the report is shown.
        var junit = Task.Run(() => JUnitReport.Render(report));
        var html = Task.Run(() => HtmlReport.Render(report));
        Show(run, () => JsonReport.Render(report), console => TableReport.Write(report, console), text => PlainReport.Write(report, text));
        var markdown = MarkdownReport.Render(report);
        List<(string, Action<string>)> files =
        [
            Folder(run),
            Artifact(run, JUnitFile, junit.GetAwaiter().GetResult()),
            Artifact(run, JsonFile, JsonReport.Render(report)),
            Artifact(run, MarkdownFile, markdown),
            Artifact(run, HtmlFile, html.GetAwaiter().GetResult()),
        ];
        if (context.Environment.GetEnvironmentVariable("GITHUB_STEP_SUMMARY") is { Length: > 0 } summary)
            files.Add((summary, path => File.AppendAllText(path, markdown)));
        Conclude(report.ToFault(run.Strict), Stage.Verification, files);
        context.Log.Verbose($"Reports: {run.ArtifactsDirectory}");
    }

    /// <summary>
    /// Shows the result of the machine checks and writes it as JSON. Rows that need no attention are shown only if Preflight is the target.
    /// With <c>--output=json</c> standard output has at most one document, so the report of a run that continues is only in the file.
    /// </summary>
    /// <exception cref="MeshTrustException">
    /// Stage <see cref="Stage.Preflight"/>: the errors of the report, and after them MT1001 to MT1004 where the file cannot be written.
    /// </exception>
    internal void Deliver(ICakeContext context, PreflightReport report, RunSpec run)
    {
        var isTarget = context.Arguments.GetArguments("target").Contains("Preflight", StringComparer.OrdinalIgnoreCase);
        var json = JsonReport.Render(report);
        Show(
            run,
            () => isTarget || report.Errors > 0 ? json : null,
            console => TableReport.Write(report, console, isTarget),
            text => PlainReport.Write(report, text, isTarget));
        Conclude(report.ToFault(), Stage.Preflight, [Folder(run), Artifact(run, PreflightFile, json)]);
    }

    public void Show(RunSpec run, Func<string?> json, Action<IAnsiConsole> table, Action<TextWriter> plain)
    {
        if (run.Output == OutputFormat.Json)
        {
            if (json() is { } document) output.Report.WriteLine(document);
        }
        else if (run.Output == OutputFormat.Table || (run.Output == OutputFormat.Auto && LiveStatus.IsInteractive))
            table(output.AsConsole(run.Color));
        else plain(output.Report);
    }

    private static (string Path, Action<string> Write) Folder(RunSpec run) => (run.ArtifactsDirectory, directory =>
    {
        Directory.CreateDirectory(directory);
        AtomicFile.Sweep(directory);
    });

    private static (string Path, Action<string> Write) Artifact(RunSpec run, string name, string text) =>
        (Path.Combine(run.ArtifactsDirectory, name), path => AtomicFile.Replace(path, Encoding.UTF8.GetBytes(text), secret: false));

    /// <summary>Writes every file that can be written, then fails: with the errors of the report first, then of the files.</summary>
    private static void Conclude(MeshTrustException? found, Stage stage, IEnumerable<(string Path, Action<string> Write)> files)
    {
        var refused = new Dictionary<string, MeshTrustException>(StringComparer.Ordinal);
        foreach (var (path, write) in files)
        {
            // A problem with a folder is reported once, not for each file in it.
            if (refused.ContainsKey(Path.GetDirectoryName(path) ?? "")) continue;
            try
            {
                write(path);
            }
            catch (Exception fault) when (DiskFault.IsOne(fault))
            {
                refused.Add(path, DiskFault.From(stage, path, fault));
            }
        }

        if (refused.Count == 0 && found is null) return;
        throw new MeshTrustException(
            stage,
            [.. found?.Problems ?? [], .. refused.Values.SelectMany(fault => fault.Problems)],
            found ?? refused.Values.First());
    }
}

/// <summary>Exports variables such as <c>CTX_CLUSTER1</c> to later steps of a pipeline.</summary>
internal sealed class PipelineExport(StandardOutput output)
{
    /// <summary>Exports them in the way the current pipeline supports; does nothing outside a pipeline.</summary>
    public void Export(ICakeContext context, IReadOnlyList<KeyValuePair<string, string>> variables, OutputFormat format)
    {
        switch (format)
        {
            case OutputFormat.GitHub:
                Append(context, "GITHUB_ENV", ContextExport.GitHub(variables));
                Append(context, "GITHUB_OUTPUT", ContextExport.GitHub(variables));
                break;
            case OutputFormat.Azure:
                foreach (var line in ContextExport.Azure(variables)) output.Report.WriteLine(line);
                break;
            case OutputFormat.GitLab:
                context.Log.Information("GitLab: add meshtrust.env from the work directory as 'artifacts: reports: dotenv'.");
                break;
        }
    }

    private static void Append(ICakeContext context, string variable, IReadOnlyList<string> lines)
    {
        if (context.Environment.GetEnvironmentVariable(variable) is not { Length: > 0 } file) return;
        DiskFault.Report(Stage.Contexts, file, () => File.AppendAllLines(file, lines));
    }
}
