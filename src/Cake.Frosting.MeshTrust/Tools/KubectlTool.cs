using Cake.Core;
using Cake.Core.IO;
using Cake.Kubectl;
using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>
/// kubectl through Cake.Kubectl, whose settings support neither a kubeconfig nor a context: every call here passes both, keeps kubectl's
/// cache out of the user's home, captures its output, and stops it when the caller's token is cancelled.
/// </summary>
internal sealed class KubectlTool(ICakeContext context, string cacheDirectory)
{
    private static readonly string[] Names = ["kubectl.exe", "kubectl"];

    /// <summary>Whether kubectl is installed. It is not started.</summary>
    public bool IsThere => context.Tools.Resolve(Names) is not null;

    /// <summary>Applies a manifest, by server-side apply, to one cluster.</summary>
    /// <returns>What kubectl said, whatever its exit code.</returns>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.LoadBalancer"/>, MT4010: kubectl is not installed.</exception>
    public async Task<ProcessResult> ApplyAsync(
        ClusterAccess access, string manifest, string fieldManager, CancellationToken cancellationToken)
    {
        EnsureIsThere();
        var call = new AliasCall(context, cancellationToken);
        var settings = new KubectlApplySettings
        {
            ServerSide = true,
            FieldManager = fieldManager,
            Filename = manifest,
            ArgumentCustomization = arguments => arguments
                .AppendSwitchQuoted("--kubeconfig", "=", access.KubeconfigPath)
                .AppendSwitchQuoted("--context", "=", access.ContextName)
                .AppendSwitchQuoted("--cache-dir", "=", cacheDirectory),
            EnvironmentVariables = new Dictionary<string, string> { ["KUBECONFIG"] = access.KubeconfigPath },
            HandleExitCode = _ => true,
        };
        try
        {
            // An alias blocks until its program has ended, so it gets its own thread.
            var alias = Task.Factory.StartNew(
                () => call.KubectlApply(settings), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await alias.ConfigureAwait(false);
            return await call.ReadResultAsync().ConfigureAwait(false);
        }
        finally
        {
            call.End();
        }
    }

    /// <exception cref="MeshTrustException">Stage <see cref="Stage.LoadBalancer"/>, MT4010: it is not.</exception>
    public void EnsureIsThere()
    {
        if (!IsThere)
        {
            throw new MeshTrustException(Stage.LoadBalancer, new Problem("MT4010", "kubectl",
                "It is not on the PATH, but MetalLB's manifest is applied with it.",
                "Install kubectl (https://kubernetes.io/docs/tasks/tools/), or disable load balancers: --lb=none."));
        }
    }

    /// <summary>
    /// One call of an alias: its context, which starts its one program through our own runner, and that program.
    /// </summary>
    private sealed class AliasCall(ICakeContext context, CancellationToken cancellationToken)
        : CakeContextAdapter(context), IProcessRunner, IProcess
    {
        private ChildProcess? _child;
        private CancellationTokenRegistration _ending;

        public override IProcessRunner ProcessRunner => this;

        public IProcess Start(FilePath filePath, ProcessSettings settings)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _child = ChildProcess.Start(new ProcessRequest(filePath.FullPath, [])
            {
                ArgumentLine = settings.Arguments?.Render() ?? "",
                Directory = settings.WorkingDirectory?.FullPath ?? "",
                Environment = variables =>
                {
                    foreach (var (name, value) in settings.EnvironmentVariables ?? new Dictionary<string, string>())
                        variables[name] = value;
                },
            });
            _ending = cancellationToken.Register(Kill);
            return this;
        }

        public async Task<ProcessResult> ReadResultAsync()
        {
            cancellationToken.ThrowIfCancellationRequested();
            var code = await _child!.Exited.ConfigureAwait(false);
            return new ProcessResult(code, _child.Output, _child.Error);
        }

        public void WaitForExit() => _child!.WaitForExit();

        public bool WaitForExit(int milliseconds) => _child!.WaitForExit(TimeSpan.FromMilliseconds(milliseconds));

        public int GetExitCode() => _child!.ExitCode;

        public IEnumerable<string> GetStandardOutput() => _child!.Output.Split('\n');

        public IEnumerable<string> GetStandardError() => _child!.Error.Split('\n');

        public void Kill() => _child!.Kill(entireTree: true);
        // An alias may dispose its program before the last of its output is read.
        public void Dispose()
        {
        }

        public void End()
        {
            _ending.Dispose();
            _child?.Dispose();
        }
    }
}
