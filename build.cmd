@echo off
rem Builds and tests AotLinker on Windows, as build.sh does elsewhere.
rem
rem   build.cmd               the linker as a native program: out\aotlink.exe
rem   build.cmd demo          links a real Go program with cmd/link and with aotlink, prints a small table
rem   build.cmd test          all tests, with the part of the conformance suite that every run has
rem   build.cmd conformance   the whole conformance suite, with a table
rem   build.cmd format        checks the format of the sources
rem
rem The .NET SDK is installed into .dotnet when it is missing. Native AOT needs Visual Studio's C++ tools, and the
rem conformance suite needs Go 1.27, 1.26, 1.25 and 1.24: on PATH, or in folders named by AOTLINK_GOROOTS (separated by ;).
setlocal enabledelayedexpansion
cd /d "%~dp0"
set DOTNET_NOLOGO=1
set DOTNET_CLI_TELEMETRY_OPTOUT=1
set COMMAND=%~1
if "%COMMAND%"=="" set COMMAND=build
set ARGUMENTS=
:collect
shift
if not "%~1"=="" (
    set ARGUMENTS=!ARGUMENTS! %1
    goto collect
)

call :use_dotnet || exit /b 1
if "%COMMAND%"=="build" goto build_only
if "%COMMAND%"=="demo" goto demo
if "%COMMAND%"=="test" goto test
if "%COMMAND%"=="conformance" goto conformance
if "%COMMAND%"=="format" goto format
echo usage: build.cmd [demo ^| test ^| conformance ^| format]
exit /b 2

:build_only
call :build
exit /b %errorlevel%

:demo
call :build || exit /b 1
call :conformance_tool || exit /b 1
out\conformance\AotLinker.Conformance.exe demo %ARGUMENTS%
exit /b %errorlevel%

:test
call :build || exit /b 1
set FAILED=0
dotnet test tests\AotLinker.Tests -c Release -nologo -v q --logger trx --results-directory out\test-results || set FAILED=1
call :conformance_tool || exit /b 1
out\conformance\AotLinker.Conformance.exe run --tier ci %ARGUMENTS% > out\conformance.log || set FAILED=1
type out\conformance.log
powershell -NoProfile -ExecutionPolicy Bypass -File scripts\count-tests.ps1 || set FAILED=1
exit /b %FAILED%

:conformance
call :build || exit /b 1
call :conformance_tool || exit /b 1
out\conformance\AotLinker.Conformance.exe run --tier all %ARGUMENTS%
exit /b %errorlevel%

:format
dotnet format AotLinker.sln --verify-no-changes
exit /b %errorlevel%

:build
call :require_cpp_tools || exit /b 1
echo building out\aotlink.exe
set RID=win-x64
if /i "%PROCESSOR_ARCHITECTURE%"=="ARM64" set RID=win-arm64
if exist out\publish rmdir /s /q out\publish
dotnet publish src\AotLinker.Cli -c Release -r %RID% -o out\publish -v q -nologo -clp:NoSummary || exit /b 1
move /y out\publish\aotlink.exe out\aotlink.exe >nul || exit /b 1
if exist out\symbols rmdir /s /q out\symbols
move /y out\publish out\symbols >nul
echo built out\aotlink.exe; its debug symbols are in out\symbols
exit /b 0

:conformance_tool
dotnet build tests\AotLinker.Conformance -c Release -o out\conformance -v q -nologo -clp:NoSummary
exit /b %errorlevel%

:use_dotnet
for /f "tokens=1" %%v in ('dotnet --list-sdks 2^>nul') do (
    set SDK=%%v
    if "!SDK:~0,3!"=="10." exit /b 0
)
if not exist .dotnet\dotnet.exe (
    echo installing the .NET 10.0 SDK into .dotnet
    mkdir .dotnet 2>nul
    powershell -NoProfile -ExecutionPolicy Bypass -Command "[Net.ServicePointManager]::SecurityProtocol = 'Tls12'; Invoke-WebRequest https://dot.net/v1/dotnet-install.ps1 -UseBasicParsing -OutFile .dotnet\dotnet-install.ps1" || goto no_dotnet
    powershell -NoProfile -ExecutionPolicy Bypass -File .dotnet\dotnet-install.ps1 -Channel 10.0 -InstallDir .dotnet -NoPath || goto no_dotnet
)
set DOTNET_ROOT=%~dp0.dotnet
set PATH=%~dp0.dotnet;%PATH%
exit /b 0

:no_dotnet
echo the .NET 10.0 SDK could not be installed: install it from https://dotnet.microsoft.com/download
exit /b 1

:require_cpp_tools
set VSWHERE=%ProgramFiles(x86)%\Microsoft Visual Studio\Installer\vswhere.exe
if exist "%VSWHERE%" (
    for /f "usebackq delims=" %%p in (`"%VSWHERE%" -latest -products * -requires Microsoft.VisualStudio.Component.VC.Tools.x86.x64 -property installationPath`) do exit /b 0
)
echo Native AOT needs Visual Studio's C++ tools. Install them with:
echo   winget install Microsoft.VisualStudio.2022.BuildTools --override "--passive --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"
exit /b 1
