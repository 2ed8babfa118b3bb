using System.Reflection;
using Cake.Cli;
using Cake.Core;
using Cake.Core.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting;

/// <summary>
/// A build program: collects services and task assemblies, then runs the targets named on its command line.
/// The entry assembly is always looked through for tasks.
/// </summary>
public sealed class CakeHost
{
    private readonly ServiceCollection _services = [];
    private readonly List<Assembly> _assemblies = [];

    /// <summary>Makes a host with the default services.</summary>
    public CakeHost()
    {
        _services.UseCakeDefaultModules();
        HostServices.AddDefaults(_services);
        if (Assembly.GetEntryAssembly() is { } entry)
        {
            _assemblies.Add(entry);
        }
    }

    /// <summary>Makes a host with the default services.</summary>
    /// <returns>The new host.</returns>
    public static CakeHost Create() => new();

    /// <summary>Has a further assembly looked through for public task types. Naming one twice makes its tasks collide.</summary>
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

    /// <summary>Runs what the command line asks for.</summary>
    /// <param name="args">The command line.</param>
    /// <returns>0 when all went well, -1 (the shell sees 255) for a bad command line, else the failure's code, mostly 1.</returns>
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
#pragma warning disable CA1031 // The outermost edge: every fault becomes a logged line and an exit code.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            var code = ExceptionLogger.LogException(provider.GetRequiredService<ICakeLog>(), fault);
            return code == 0 ? 1 : code;
        }
    }
}

/// <summary>A build program that is put together wrongly.</summary>
public sealed class FrostingException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What is wrong.</param>
    public FrostingException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What is wrong.</param>
    /// <param name="innerException">What was behind it.</param>
    public FrostingException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
