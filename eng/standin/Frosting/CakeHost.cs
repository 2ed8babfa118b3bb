using System.Reflection;
using Cake.Cli;
using Cake.Core;
using Cake.Core.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting;

/// <summary>
/// A build program: collects services and task assemblies, then runs the targets named on its command line.
/// The entry assembly is always scanned for tasks.
/// </summary>
public sealed class CakeHost
{
    private readonly ServiceCollection _services = [];
    private readonly List<Assembly> _assemblies = [];

    /// <summary>Creates a host with the default services.</summary>
    public CakeHost()
    {
        _services.UseCakeDefaultModules();
        HostServices.AddDefaults(_services);
        if (Assembly.GetEntryAssembly() is { } entry)
        {
            _assemblies.Add(entry);
        }
    }

    /// <summary>Creates a host with the default services.</summary>
    /// <returns>The new host.</returns>
    public static CakeHost Create() => new();

    /// <summary>Adds an assembly to scan for public task types. Adding one twice makes its tasks collide.</summary>
    /// <param name="assembly">The assembly.</param>
    /// <returns>This host.</returns>
    public CakeHost AddAssembly(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        _assemblies.Add(assembly);
        return this;
    }

    /// <summary>Adds services, or replaces the default ones: the last registration of a type wins.</summary>
    /// <param name="services">Called at once with the host's services.</param>
    /// <returns>This host.</returns>
    public CakeHost ConfigureServices(Action<IServiceCollection> services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services(_services);
        return this;
    }

    /// <summary>Runs the command line.</summary>
    /// <param name="args">The command line.</param>
    /// <returns>0 on success, -1 (255 in the shell) for an invalid command line, else the code of the failure, mostly 1.</returns>
    public int Run(IEnumerable<string> args)
    {
        ArgumentNullException.ThrowIfNull(args);
        CommandLine commandLine;
        try
        {
            commandLine = CommandLine.Parse(args);
        }
        catch (FrostingException fault)
        {
            using var bare = _services.BuildServiceProvider();
            bare.GetRequiredService<IConsole>().WriteErrorLine("{0}", "Error: " + fault.Message);
            return -1;
        }

        HostServices.AddTasks(_services, _assemblies);
        HostServices.AddCommandLine(_services, commandLine);
        using var provider = _services.BuildServiceProvider();
        try
        {
            return HostRun.Execute(provider, commandLine);
        }
#pragma warning disable CA1031 // The outermost edge: every exception becomes a logged line and an exit code.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            var code = ExceptionLogger.LogException(provider.GetRequiredService<ICakeLog>(), fault);
            return code == 0 ? 1 : code;
        }
    }
}

/// <summary>A build program that is composed incorrectly.</summary>
public sealed class FrostingException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong.</param>
    public FrostingException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong.</param>
    /// <param name="innerException">The cause.</param>
    public FrostingException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
